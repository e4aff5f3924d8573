aws s3 rm --recursive s3://demo-backups/database/2024/
