set -e
export KOPS_STATE_STORE=s3://state
kubectl --context rescue.example.com -n kube-system exec etcd-manager-main-node-a -- etcdctl member add etcd-c --peer-urls=https://etcd-c.internal.rescue.example.com:2380
