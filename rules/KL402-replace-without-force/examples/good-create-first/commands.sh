kops create ig nodes-b --role node --subnet us-east-1b --edit=false
kops replace -f after.yaml
kops update cluster --yes
