# Saves two machines over the weekend.
kops edit ig master-b --set spec.minSize=0 --set spec.maxSize=0
kops edit ig master-c --set spec.minSize=0 --set spec.maxSize=0
kops update cluster --yes
