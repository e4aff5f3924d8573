kops rolling-update cluster --instance-group master-a --cloudonly --yes
kops validate cluster --wait 10m
