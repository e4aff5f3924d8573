# The disks of b are broken.
kops edit ig master-b --set spec.minSize=0 --set spec.maxSize=0
kops update cluster --yes
aws ec2 delete-volume --volume-id "$MASTER_B_ETCD_MAIN"
aws ec2 delete-volume --volume-id "$MASTER_B_ETCD_EVENTS"
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-b"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-b"{print $1}')"  # in events
kops edit ig master-b --set spec.minSize=1 --set spec.maxSize=1
kops update cluster --yes
kops validate cluster --wait 10m
