kops update cluster --yes
kops rolling-update cluster --instance-group-roles control-plane --yes
kops validate cluster --wait 10m
kops replace -f after.yaml
kops reconcile cluster --yes
kops validate cluster --wait 10m
