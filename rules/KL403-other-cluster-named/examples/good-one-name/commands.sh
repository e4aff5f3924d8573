export KOPS_CLUSTER_NAME=demo.example.com
kops replace -f after.yaml
kops update cluster --yes
kops rolling-update cluster --yes
