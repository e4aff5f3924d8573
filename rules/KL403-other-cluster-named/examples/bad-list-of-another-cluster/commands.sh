export KOPS_CLUSTER_NAME=staging.example.com
kops replace -f after.yaml
kops update cluster --yes
kops rolling-update cluster --yes
