kops get instancegroups -o name | grep master | xargs -P3 -I{} kops rolling-update cluster --instance-group {} --yes
