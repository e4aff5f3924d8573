kops update cluster  # to see whether anything drifted
kops validate cluster
