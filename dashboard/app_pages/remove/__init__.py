"""Remove: take records out and see what shifts."""
