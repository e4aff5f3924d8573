kops edit ig nodes --set spec.minSize=4 --set spec.maxSize=4
kops update cluster --yes
