set -e
export KOPS_CLUSTER_NAME=demo.example.com
kops export kubeconfig --admin
kops delete cluster --yes
