export KOPS_FEATURE_FLAGS=+APIServerNodes
kops update cluster --yes
kops rolling-update cluster --instance-group api-servers --yes
