kops rolling-update cluster --instance-group master-a --yes
