kops replace -f after.yaml
kops update cluster --yes
kops rolling-update cluster --yes
