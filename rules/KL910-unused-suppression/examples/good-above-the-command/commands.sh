kops edit ig nodes --set spec.maxSize=8
# kopslint: ignore[KL401] the pipeline of the network team applies it
kops update cluster
