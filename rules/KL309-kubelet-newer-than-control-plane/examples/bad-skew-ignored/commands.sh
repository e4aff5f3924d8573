kops replace -f after.yaml
kops update cluster --yes --ignore-kubelet-version-skew
kops rolling-update cluster --yes
