kops edit cluster --set spec.kubernetesVersion=1.31.5
kops update cluster --instance-group-roles control-plane,apiserver --yes
kops rolling-update cluster --instance-group-roles control-plane,apiserver --yes
kops update cluster --yes
kops rolling-update cluster --yes
