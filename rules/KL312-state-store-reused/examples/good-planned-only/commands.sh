terraform plan -destroy
terraform apply -auto-approve
