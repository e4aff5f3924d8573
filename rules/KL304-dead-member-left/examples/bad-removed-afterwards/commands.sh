set -e
MAIN="kubectl -n kube-system exec etcd-manager-main-master-a -- etcdctl"
EVENTS="kubectl -n kube-system exec etcd-manager-events-master-a -- etcdctl"
kops replace -f after.yaml
for group in master-f master-g; do kops delete ig "$group" --yes; done
kops update cluster --yes
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-f"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-f"{print $1}')"
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-g"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-g"{print $1}')"
