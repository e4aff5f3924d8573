kops export kubeconfig --admin
kops replace -f after.yaml
kops update cluster --yes
kops rolling-update cluster --instance-group-roles control-plane,apiserver --yes
kops update cluster --yes
kops rolling-update cluster --yes
