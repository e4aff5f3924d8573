set -e
MAIN="kubectl -n kube-system exec etcd-manager-main-master-a -- etcdctl"
EVENTS="kubectl -n kube-system exec etcd-manager-events-master-a -- etcdctl"
# The disks of b are broken.
kops edit ig master-b --set spec.minSize=0 --set spec.maxSize=0
kops update cluster --yes
aws ec2 delete-volume --volume-id "$MASTER_B_ETCD_MAIN"
aws ec2 delete-volume --volume-id "$MASTER_B_ETCD_EVENTS"
$MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-b"{print $1}')"
$EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-b"{print $1}')"
kops edit ig master-b --set spec.minSize=1 --set spec.maxSize=1
kops update cluster --yes
kops validate cluster --wait 10m
