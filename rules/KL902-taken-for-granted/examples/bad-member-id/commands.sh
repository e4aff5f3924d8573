etcdctl member remove "$ID"
