kops set cluster demo.example.com 'spec.etcdClusters[*].version=3.6.4'
kops update cluster --yes
