# The machine of e is broken for good; its volumes are not.
kops get ig master-e -o yaml > master-e.yaml
kops delete ig master-e --yes
kops create -f master-e.yaml
kops update cluster --yes
kops validate cluster --wait 10m
