kops rolling-update cluster --instance-group master-a --yes &
kops rolling-update cluster --instance-group master-b --yes &
wait
