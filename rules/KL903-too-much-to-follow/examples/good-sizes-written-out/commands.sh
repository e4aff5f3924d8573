kops edit ig nodes-a --set spec.maxSize=3
kops edit ig nodes-b --set spec.maxSize=3
kops edit ig nodes-c --set spec.maxSize=6
kops edit ig nodes-d --set spec.maxSize=6
kops edit ig nodes-e --set spec.maxSize=12
kops update cluster --yes
