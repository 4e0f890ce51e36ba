"""Erasure requests from a list of ids to evidence."""
