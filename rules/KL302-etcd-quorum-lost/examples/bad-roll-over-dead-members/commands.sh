# The order that is usually given for five to three.
kops replace -f after.yaml
kops delete ig master-d --yes
kops delete ig master-e --yes
kops update cluster --yes
kops rolling-update cluster --yes
