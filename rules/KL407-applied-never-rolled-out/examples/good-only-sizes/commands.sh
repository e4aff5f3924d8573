kops edit ig nodes
kops update cluster --yes
