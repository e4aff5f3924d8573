aws s3 sync s3://demo-state/demo.example.com/backups/ s3://elsewhere/demo/
kops get cluster demo.example.com -o yaml
