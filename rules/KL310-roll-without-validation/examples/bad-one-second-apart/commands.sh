kops rolling-update cluster --cloudonly --control-plane-interval=1s --yes
