kops update cluster --target terraform --out .
terraform plan
terraform apply -auto-approve
