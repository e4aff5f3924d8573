"""What holds of a replayed list: where quorum is lost, who stays a member."""
