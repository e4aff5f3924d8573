#!/bin/sh
kops replace -f after.yaml
ssh bastion 'bash -s' < roll.sh
kops update cluster --yes
