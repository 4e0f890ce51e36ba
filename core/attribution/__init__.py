"""Attributors: predictions of what training records do to a metric."""
