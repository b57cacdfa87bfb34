"""What stands between a call and its execution."""
