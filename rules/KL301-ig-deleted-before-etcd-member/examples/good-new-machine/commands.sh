# The machine of e hangs.
kops delete instance master-e --yes
kops validate cluster --wait 10m
