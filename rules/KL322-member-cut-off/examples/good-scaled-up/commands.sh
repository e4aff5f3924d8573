kops replace --force -f after.yaml
kops update cluster --yes
kops validate cluster --wait 15m
