kubectl drain -l kops.k8s.io/instancegroup=nodes-old --ignore-daemonsets
kops delete ig nodes-old --yes
