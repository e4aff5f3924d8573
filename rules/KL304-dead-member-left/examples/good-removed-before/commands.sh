etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]e,/{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]e,/{print $1}')"  # in events
kops delete ig master-e --yes
etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]d,/{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]d,/{print $1}')"  # in events
kops delete ig master-d --yes
kops replace -f after.yaml && kops update cluster --yes
