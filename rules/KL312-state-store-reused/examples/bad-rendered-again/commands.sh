set -e
terraform destroy -auto-approve
kops update cluster --target terraform --out .
terraform apply -auto-approve
