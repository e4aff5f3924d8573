aws ec2 create-snapshot --volume-id "$MASTER_B_ETCD_MAIN"
aws ec2 create-snapshot --volume-id "$MASTER_B_ETCD_EVENTS"
