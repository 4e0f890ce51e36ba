"""Slices of the test rows in which a model does worst."""
