kops delete ig batch --yes
kubectl drain -l kops.k8s.io/instancegroup=batch --ignore-daemonsets
