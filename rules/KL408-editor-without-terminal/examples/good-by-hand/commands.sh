kops edit cluster demo.example.com
kops update cluster --yes
kops rolling-update cluster --yes
