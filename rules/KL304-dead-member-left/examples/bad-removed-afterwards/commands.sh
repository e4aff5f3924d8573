kops replace -f after.yaml
for group in master-f master-g; do kops delete ig "$group" --yes; done
kops update cluster --yes
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-f"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-f"{print $1}')"  # in events
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-g"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-g"{print $1}')"  # in events
