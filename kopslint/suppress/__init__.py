"""What does not count: findings that a comment or a baseline silences, and why."""
