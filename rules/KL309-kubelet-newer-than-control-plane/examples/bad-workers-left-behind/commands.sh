kops export kubeconfig --admin
kops replace -f after.yaml
kops update cluster --yes
kops rolling-update cluster --yes
