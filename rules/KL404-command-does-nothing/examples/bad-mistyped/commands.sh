kops updtae cluster --yes
kops validate cluster --wait 10m
