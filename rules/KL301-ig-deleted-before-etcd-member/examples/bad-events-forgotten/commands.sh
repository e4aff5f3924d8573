# One node at a time, member first. The events cluster is forgotten.
remove() {
  kubectl exec -n kube-system etcd-manager-main-master-a -- \
    etcdctl member remove "$(etcdctl member list | awk -F, "/[ -]$1,/{print \$1}")"
}
remove f && kops delete ig master-f --yes
remove g && kops delete ig master-g --yes
kops replace -f after.yaml
kops update cluster --yes
