# e looks unhealthy; a fresh start will do it good.
for etcd in main events; do
  kubectl -n kube-system exec etcd-manager-$etcd-master-a -- etcdctl member remove e
done
kops delete instance master-e --yes
