kops replace -f after.yaml
eval "$STEPS"
kops update cluster --yes
