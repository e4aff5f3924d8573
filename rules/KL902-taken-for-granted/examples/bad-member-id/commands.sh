set -e
MAIN="kubectl -n kube-system exec etcd-manager-main-master-a -- etcdctl"
EVENTS="kubectl -n kube-system exec etcd-manager-events-master-a -- etcdctl"
kops replace -f after.yaml
kops delete ig master-f --yes
# The ids are in the ticket.
$MAIN member remove "$ID_MAIN"
$EVENTS member remove "$ID_EVENTS"
kops delete ig master-g --yes
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-g"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-g"{print $1}')"
kops update cluster --yes
