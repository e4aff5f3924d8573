kops edit cluster demo.example.com --set 'spec.etcdClusters[*].version=3.5.21'
kops update cluster --yes
