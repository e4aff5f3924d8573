kops delete cluster --yes
