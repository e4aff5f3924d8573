kops edit ig nodes --set spec.maxSize=8
kops update cluster --yes  # kopslint: ignore[KL401] until the pipeline is back, until=2021-12-31
