kops rolling-update --instance-group master-a --yes
