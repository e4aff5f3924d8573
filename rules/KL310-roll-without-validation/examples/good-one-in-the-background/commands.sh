kops rolling-update cluster --instance-group-roles control-plane --yes &
wait
for group in master-a master-b master-c; do
  kops rolling-update cluster --instance-group "$group" --force --yes &
  wait
done
