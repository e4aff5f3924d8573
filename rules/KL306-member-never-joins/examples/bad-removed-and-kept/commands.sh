set -e
# e looks unhealthy; a fresh start will do it good.
MAIN="kubectl -n kube-system exec etcd-manager-main-master-a -- etcdctl"
EVENTS="kubectl -n kube-system exec etcd-manager-events-master-a -- etcdctl"
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-e"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-e"{print $1}')"
kops delete instance master-e --yes
