etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]f,/{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]f,/{print $1}')"  # in events
kops delete ig master-f --yes
etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]g,/{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]g,/{print $1}')"  # in events
kops delete ig master-g --yes
