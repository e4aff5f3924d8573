aws s3 sync s3://demo-state/demo.example.com/pki/ s3://elsewhere/pki/
