kops get ig master-c -o yaml > master-c.yaml
kops delete ig master-c --yes
kops create -f master-c.yaml
kops update cluster --yes
kops validate cluster --wait 10m
