kops create ig batch --subnet us-east-1a --edit=false
kops update cluster --yes
kubectl wait --for=condition=complete job/batch --timeout=1h
kops delete ig batch --yes
