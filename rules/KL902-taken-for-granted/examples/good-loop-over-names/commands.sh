for group in nodes-a; do
  kops edit ig "$group" --set spec.minSize=3 --set spec.maxSize=3
done
kops update cluster --yes
