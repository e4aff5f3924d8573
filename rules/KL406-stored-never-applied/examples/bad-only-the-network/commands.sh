kops replace -f after.yaml
kops update cluster --phase network --yes
