kops replace -f after.yaml
kops delete ig master-f --yes
kops delete ig master-g --yes
kops update cluster --target terraform --out .
terraform apply
