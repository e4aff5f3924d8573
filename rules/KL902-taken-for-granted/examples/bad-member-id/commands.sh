kops replace -f after.yaml
kops delete ig master-f --yes
# The ids are in the ticket.
etcdctl member remove "$ID_MAIN"    # in main
etcdctl member remove "$ID_EVENTS"  # in events
kops delete ig master-g --yes
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-g"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-g"{print $1}')"  # in events
kops update cluster --yes
