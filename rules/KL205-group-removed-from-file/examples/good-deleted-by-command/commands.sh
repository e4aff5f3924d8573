kops replace -f after.yaml
kubectl drain -l kops.k8s.io/instancegroup=batch --ignore-daemonsets
kops delete ig batch --name demo.example.com --yes
