kops get cluster --full -o yaml > cluster.yaml
vi cluster.yaml
kops replace -f cluster.yaml
kops update cluster --yes
kops rolling-update cluster --yes
