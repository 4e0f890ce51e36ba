"""Conditions on rows, read from text."""
