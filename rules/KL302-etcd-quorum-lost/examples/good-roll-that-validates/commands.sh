kops update cluster --yes
kops rolling-update cluster --force --yes
