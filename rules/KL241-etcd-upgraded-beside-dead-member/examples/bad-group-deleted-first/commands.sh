kops delete ig cp-d --yes
kops delete ig cp-e --yes
kops replace -f after.yaml
kops update cluster --yes
kops rolling-update cluster --yes
