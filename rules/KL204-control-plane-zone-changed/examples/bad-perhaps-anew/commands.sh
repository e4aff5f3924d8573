read -r -p "Replace the member of control-plane-c? " answer
if [ "$answer" = yes ]; then
  etcdctl member remove c  # in main
  etcdctl member remove c  # in events
  kops delete ig control-plane-c --yes
  aws ec2 delete-volume --volume-id "$C_ETCD_MAIN"    # control-plane-c
  aws ec2 delete-volume --volume-id "$C_ETCD_EVENTS"  # control-plane-c
fi
kops replace --force -f after.yaml
kops update cluster --yes
