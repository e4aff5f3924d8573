aws s3 rm --recursive s3://demo-state/demo.example.com/backups/etcd/main/control/
