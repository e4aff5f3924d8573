kops promote keypair kubernetes-ca
kops update cluster --yes
kops distrust keypair kubernetes-ca
kops update cluster --yes
kops rolling-update cluster --yes
