"""Folders that hold a saved case."""
