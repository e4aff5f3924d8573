etcdctl --endpoints=https://127.0.0.1:4001 compact 1234
etcdctl --endpoints=https://127.0.0.1:4001 defrag
etcdctl --endpoints=https://127.0.0.1:4001 endpoint health
