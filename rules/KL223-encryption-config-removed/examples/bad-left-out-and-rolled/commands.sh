#!/bin/sh
set -e
kops replace -f after.yaml
kops update cluster demo.example.com --yes
kops rolling-update cluster demo.example.com --yes
