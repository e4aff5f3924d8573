set -e
kops replace -f after.yaml
kops delete instancegroup nodes-old --name demo.example.com
