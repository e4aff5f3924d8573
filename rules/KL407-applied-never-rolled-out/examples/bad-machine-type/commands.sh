kops edit ig nodes
kops update cluster --yes
kops validate cluster --wait 10m
