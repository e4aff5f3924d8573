kops create keypair all
kops promote keypair all
kops update cluster --yes
kops rolling-update cluster --yes
