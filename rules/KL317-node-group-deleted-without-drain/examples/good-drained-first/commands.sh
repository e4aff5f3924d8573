kubectl drain -l kops.k8s.io/instancegroup=batch --ignore-daemonsets
kops delete ig batch --yes
