etcd-manager-ctl --backup-store=s3://demo-state/demo.example.com/backups/etcd/main list-backups
etcd-manager-ctl --backup-store=s3://demo-state/demo.example.com/backups/etcd/events list-backups
