# As the documents of kops have it: the load balancer is deleted by hand, and with it
# the only way to the API that validation would ask.
kops replace -f after.yaml
aws elbv2 delete-load-balancer --load-balancer-arn "$LOAD_BALANCER"
kops update cluster --yes
kops rolling-update cluster --cloudonly --force --instance-group-roles master --yes
