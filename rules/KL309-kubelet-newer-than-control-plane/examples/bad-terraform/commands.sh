set -e
kops replace -f after.yaml
kops update cluster --target terraform --out .
terraform apply
kops rolling-update cluster --yes
