rclone purge store:demo-state/demo.example.com/secrets
