etcd-manager-ctl --backup-store=s3://demo-state/demo.example.com/backups/etcd/main restore-backup 2026-05-04T03:02:01Z-000001
etcd-manager-ctl --backup-store=s3://demo-state/demo.example.com/backups/etcd/events restore-backup 2026-05-04T03:02:01Z-000001
kubectl -n kube-system delete pod -l k8s-app=etcd-manager-main
kubectl -n kube-system delete pod -l k8s-app=etcd-manager-events
