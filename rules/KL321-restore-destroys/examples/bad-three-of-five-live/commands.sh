set -e
export KOPS_STATE_STORE=s3://state
etcd-manager-ctl --backup-store=s3://state/rescue.example.com/backups/etcd/main restore-backup 2026-11-30T01:00:00Z-000042
etcd-manager-ctl --backup-store=s3://state/rescue.example.com/backups/etcd/events restore-backup 2026-11-30T01:00:00Z-000042
kubectl --context rescue.example.com -n kube-system delete pod -l k8s-app=etcd-manager-main
kubectl --context rescue.example.com -n kube-system delete pod -l k8s-app=etcd-manager-events
