"""Start: open a demonstration, files or a saved case."""
