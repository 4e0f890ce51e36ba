"""What each training record does to a metric."""
