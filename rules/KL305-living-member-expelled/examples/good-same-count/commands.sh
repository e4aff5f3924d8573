kops update cluster --yes
kops rolling-update cluster --instance-group-roles control-plane --force --yes
