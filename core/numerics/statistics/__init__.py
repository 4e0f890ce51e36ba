"""Counts, resampling and tests."""
