kops edit cluster demo.example.com
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-e"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-e"{print $1}')"  # in events
kops delete ig master-e --name demo.example.com --yes
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-d"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-d"{print $1}')"  # in events
kops delete ig master-d --name demo.example.com --yes
