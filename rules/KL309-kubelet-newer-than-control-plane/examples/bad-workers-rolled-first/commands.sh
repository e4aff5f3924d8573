kops edit cluster
kops update cluster --yes
kops rolling-update cluster --instance-group-roles node --yes
kops rolling-update cluster --instance-group-roles control-plane --yes
