#!/usr/bin/env bash
set -euo pipefail
export KOPS_CLUSTER_NAME=demo.example.com

for group in master-f master-g; do
  kops delete instancegroup "$group" --yes
done
kops replace -f after.yaml
kops update cluster --yes
kops validate cluster --wait 10m
