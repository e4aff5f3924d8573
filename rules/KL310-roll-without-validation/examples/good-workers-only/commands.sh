kops rolling-update cluster --cloudonly --instance-group nodes --yes
