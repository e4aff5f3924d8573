set -e
# The member first, then its group. The events cluster is forgotten.
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-f"{print $1}')"  # in main
kops delete ig master-f --yes
etcdctl member remove "$(etcdctl member list | awk -F', ' '$3=="etcd-g"{print $1}')"  # in main
kops delete ig master-g --yes
kops replace -f after.yaml
kops update cluster --yes
