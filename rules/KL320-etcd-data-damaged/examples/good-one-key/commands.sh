etcdctl snapshot save before.db
etcdctl del /registry/pods/default/stuck
