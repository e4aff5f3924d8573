# The disks of c are damaged.
kops edit ig master-c --set spec.minSize=0 --set spec.maxSize=0
kops update cluster --yes
aws ec2 delete-volume --volume-id vol-0c1   # c.etcd-main
aws ec2 delete-volume --volume-id vol-0c2   # c.etcd-events
kops edit ig master-c --set spec.minSize=1 --set spec.maxSize=1
kops update cluster --yes
