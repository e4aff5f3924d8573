#!/bin/sh
set -e
kops create secret encryptionconfig -f identity-first.yaml --force --name demo.example.com
kops update cluster demo.example.com --yes
kops rolling-update cluster demo.example.com --yes
kubectl get secrets --all-namespaces -o json | kubectl replace -f -
kops create secret encryptionconfig -f identity.yaml --force --name demo.example.com
kops update cluster demo.example.com --yes
kops rolling-update cluster demo.example.com --yes
