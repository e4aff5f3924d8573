kops replace -f after.yaml
kops update cluster --name demo.example.com --yes
kops rolling-update cluster --name demo.example.com --yes
kops validate cluster --name demo.example.com --wait 10m
