# Two control-plane nodes become workers, without a machine more or less.
kops replace -f after.yaml
kops update cluster --yes
kubectl -n kube-system delete pod -l k8s-app=etcd-manager-main
kubectl -n kube-system delete pod -l k8s-app=etcd-manager-events
