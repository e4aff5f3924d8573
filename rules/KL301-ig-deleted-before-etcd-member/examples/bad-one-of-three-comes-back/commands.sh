kops delete ig master-c --yes
# That was the wrong one.
kops create ig master-c --role control-plane --subnet us-east-1c --edit=false
kops update cluster --yes
kops validate cluster --wait 10m
