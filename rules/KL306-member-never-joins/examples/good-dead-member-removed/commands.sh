set -e
MAIN="kubectl -n kube-system exec etcd-manager-main-master-a -- etcdctl"
EVENTS="kubectl -n kube-system exec etcd-manager-events-master-a -- etcdctl"
kops replace --force -f after.yaml
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-e"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-e"{print $1}')"
kops delete ig master-e --yes
kops update cluster --yes
kops validate cluster --wait 15m
