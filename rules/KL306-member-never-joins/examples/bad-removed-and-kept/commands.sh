# e looks unhealthy; a fresh start will do it good.
etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]e,/{print $1}')"  # in main
etcdctl member remove "$(etcdctl member list | awk -F, '/[ -]e,/{print $1}')"  # in events
kops rolling-update cluster --instance-group master-e --force --yes --cloudonly
