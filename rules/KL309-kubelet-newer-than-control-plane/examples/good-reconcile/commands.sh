kops edit cluster --set spec.kubernetesVersion=1.31.5
kops reconcile cluster --yes
