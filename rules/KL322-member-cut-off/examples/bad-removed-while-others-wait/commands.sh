set -e
export KOPS_STATE_STORE=s3://state
kubectl --context rescue.example.com -n kube-system exec etcd-manager-main-node-a -- etcdctl member remove 8e9e05c52164694f
kubectl --context rescue.example.com -n kube-system exec etcd-manager-events-node-a -- etcdctl member remove b71f75320dc06a6e
