kops replace -f after.yaml
kops update cluster
kops rolling-update cluster --yes
