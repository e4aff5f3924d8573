# Another zone, and nothing in the cluster that anybody needs.
kops delete cluster demo.example.com --yes
kops create -f after.yaml
kops update cluster demo.example.com --yes
kops validate cluster demo.example.com --wait 15m
