set -e
etcdctl member remove e  # in main
etcdctl member remove e  # in events
kops delete ig master-e --yes
etcdctl member remove d  # in main
etcdctl member remove d  # in events
kops delete ig master-d --yes
kops replace -f after.yaml
kops update cluster --yes
kops rolling-update cluster --yes
