kops edit cluster
kops reconcile cluster --yes
