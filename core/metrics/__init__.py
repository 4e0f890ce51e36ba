"""Fairness and performance metrics, with intervals and tests."""
