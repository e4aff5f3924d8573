kops replace --force -f after.yaml
kops update cluster --target terraform --out .
terraform apply
kops validate cluster --wait 10m
