export KOPS_CLUSTER_NAME=staging.example.com
kops update cluster --yes
kops rolling-update cluster --yes
