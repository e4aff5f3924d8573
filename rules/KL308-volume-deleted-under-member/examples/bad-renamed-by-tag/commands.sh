aws ec2 create-tags --resources "$MASTER_B_ETCD_MAIN" --tags Key=Name,Value=retired
kops update cluster --yes
