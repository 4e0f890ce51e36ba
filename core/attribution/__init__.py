"""What an attributor is: predictions of what training records do to a metric."""
