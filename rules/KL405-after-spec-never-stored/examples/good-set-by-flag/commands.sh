kops edit cluster --set spec.kubernetesVersion=1.32.9
kops update cluster --yes
kops rolling-update cluster --yes
