kops delete ig nodes-old
kops update cluster
kops update cluster --yes
