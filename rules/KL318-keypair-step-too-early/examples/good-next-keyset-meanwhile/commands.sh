kops create keypair etcd-clients-ca
kops promote keypair kubernetes-ca
kops update cluster --yes
kops rolling-update cluster --yes
