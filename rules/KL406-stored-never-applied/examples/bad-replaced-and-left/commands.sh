kops replace -f after.yaml
