"""Removing training records from fitted models."""
