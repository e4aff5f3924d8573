aws s3 rm --recursive s3://demo-artifacts/app/secrets/
