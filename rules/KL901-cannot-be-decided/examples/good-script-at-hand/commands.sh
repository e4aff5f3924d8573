#!/bin/sh
kops replace -f after.yaml
kops update cluster --yes
. ./roll.sh
