kops replace -f after.yaml
kops delete ig batch --name demo.example.com --yes
