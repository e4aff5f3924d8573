kops get ig master-a -o yaml > master-a.yaml
kops delete ig master-a --yes
kops create -f master-a.yaml
kops update cluster --yes
