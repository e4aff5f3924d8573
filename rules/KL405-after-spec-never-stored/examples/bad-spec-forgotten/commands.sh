set -e
MAIN="kubectl -n kube-system exec etcd-manager-main-master-a -- etcdctl"
EVENTS="kubectl -n kube-system exec etcd-manager-events-master-a -- etcdctl"
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-f"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-f"{print $1}')"
kops delete ig master-f --yes
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-g"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-g"{print $1}')"
kops delete ig master-g --yes
