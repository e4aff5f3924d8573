kops replace --force -f after.yaml
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-e"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-e"{print $1}')"  # in events
kops delete ig master-e --yes
kops update cluster --yes
kops validate cluster --wait 15m
