kops edit cluster
kops rolling-update cluster --yes
