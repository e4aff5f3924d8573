etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-e"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-e"{print $1}')"  # in events
kops delete ig master-e --yes
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-d"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-d"{print $1}')"  # in events
kops delete ig master-d --yes
kops replace -f after.yaml
kops update cluster --yes
