kops replace -f after.yaml
kops delete ig master-b --yes
kops delete ig master-c --yes
kops update cluster --target terraform --out .
terraform apply
