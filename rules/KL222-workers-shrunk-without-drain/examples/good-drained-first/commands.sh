kubectl drain ip-10-0-0-11.ec2.internal --ignore-daemonsets --delete-emptydir-data
kubectl drain ip-10-0-0-12.ec2.internal --ignore-daemonsets --delete-emptydir-data
kops replace -f after.yaml
kops update cluster --yes
