kops replace -f step-1.yaml
kops update cluster --yes
kops rolling-update cluster --yes
kops validate cluster --wait 10m
kops replace -f after.yaml
kops reconcile cluster --yes
kops validate cluster --wait 10m
