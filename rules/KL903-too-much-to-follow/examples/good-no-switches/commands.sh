set -e
for pool in a b c; do kops edit ig "nodes-$pool" --set spec.maxSize=5; done
kops update cluster --yes
