aws s3 rm --recursive s3://demo-state/demo.example.com/backups/etcd/main/2026-05-04T03:02:01Z-000001/
