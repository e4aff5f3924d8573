kops create secret encryptionconfig -f plain.yaml --force --name demo.example.com
kops update cluster demo.example.com --yes
kops rolling-update cluster demo.example.com --yes
