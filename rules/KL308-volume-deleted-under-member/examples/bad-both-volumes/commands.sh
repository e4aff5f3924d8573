aws ec2 terminate-instances --instance-ids "$MASTER_B"
aws ec2 delete-volume --volume-id "$MASTER_B_ETCD_MAIN"
aws ec2 delete-volume --volume-id "$MASTER_B_ETCD_EVENTS"
kops update cluster --yes
