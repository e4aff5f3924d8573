etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-f"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-f"{print $1}')"  # in events
kops delete ig master-f --yes
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-g"{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-events-g"{print $1}')"  # in events
kops delete ig master-g --yes
kops replace -f after.yaml
kops update cluster --target terraform --out .
terraform apply
