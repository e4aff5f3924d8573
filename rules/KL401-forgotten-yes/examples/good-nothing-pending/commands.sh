kops get cluster -o yaml > now.yaml
kops update cluster  # to see whether anything drifted
