kops edit cluster demo.example.com --set 'spec.etcdClusters[*].version=3.6.4'
kops update cluster --yes
