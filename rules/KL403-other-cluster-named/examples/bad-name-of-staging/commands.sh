kops replace -f after.yaml
kops update cluster demo.example.com --yes
kops rolling-update cluster staging.example.com --yes
