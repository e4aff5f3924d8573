for node in master-a master-b; do
  kops delete instance "$node" --yes
  until kops validate cluster; do sleep 30; done
done
