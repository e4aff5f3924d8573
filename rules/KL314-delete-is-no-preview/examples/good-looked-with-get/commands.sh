kops get ig nodes-old -o yaml
