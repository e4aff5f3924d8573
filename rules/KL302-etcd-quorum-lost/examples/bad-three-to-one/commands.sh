kops replace -f after.yaml
kops delete -f leavers.yaml --yes
kops update cluster --yes
