"""Widgets that two or more pages use."""
