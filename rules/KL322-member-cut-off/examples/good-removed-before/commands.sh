set -e
MAIN="kubectl -n kube-system exec etcd-manager-main-master-a -- etcdctl"
EVENTS="kubectl -n kube-system exec etcd-manager-events-master-a -- etcdctl"
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-e"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-e"{print $1}')"
kops delete ig master-e --yes
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-d"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-d"{print $1}')"
kops delete ig master-d --yes
kops replace -f after.yaml && kops update cluster --yes
