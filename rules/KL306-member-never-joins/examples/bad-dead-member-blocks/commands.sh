kops replace --force -f after.yaml
kops delete ig master-e --yes
kops update cluster --yes
