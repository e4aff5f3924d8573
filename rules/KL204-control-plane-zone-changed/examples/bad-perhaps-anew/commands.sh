set -e
MAIN="kubectl -n kube-system exec etcd-manager-main-control-plane-a -- etcdctl"
EVENTS="kubectl -n kube-system exec etcd-manager-events-control-plane-a -- etcdctl"
read -r -p "Replace the member of control-plane-c? " answer
if [ "$answer" = yes ]; then
  $MAIN member remove "$($MAIN member list | awk -F', ' '$3=="etcd-c"{print $1}')"
  $EVENTS member remove "$($EVENTS member list | awk -F', ' '$3=="etcd-events-c"{print $1}')"
  kops delete ig control-plane-c --yes
  aws ec2 delete-volume --volume-id "$C_ETCD_MAIN"    # control-plane-c
  aws ec2 delete-volume --volume-id "$C_ETCD_EVENTS"  # control-plane-c
fi
kops replace --force -f after.yaml
kops update cluster --yes
