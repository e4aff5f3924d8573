etcdctl user add root:secret
etcdctl auth enable
