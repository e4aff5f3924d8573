set -eu
kops delete ig "$1" --yes
kops update cluster --yes
