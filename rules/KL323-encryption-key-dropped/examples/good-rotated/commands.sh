#!/bin/sh
set -e
kops create secret encryptionconfig -f both.yaml --force --name demo.example.com
kops update cluster demo.example.com --yes
kops rolling-update cluster demo.example.com --yes
kops create secret encryptionconfig -f new-first.yaml --force --name demo.example.com
kops update cluster demo.example.com --yes
kops rolling-update cluster demo.example.com --yes
kubectl get secrets --all-namespaces -o json | kubectl replace -f -
kops create secret encryptionconfig -f new-alone.yaml --force --name demo.example.com
kops update cluster demo.example.com --yes
kops rolling-update cluster demo.example.com --yes
