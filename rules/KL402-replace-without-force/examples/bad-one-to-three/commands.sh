set -e
kops replace -f after.yaml
kops update cluster --yes
kops validate cluster --wait 15m
