aws s3 rm --recursive s3://demo-state/demo.example.com/pki/
