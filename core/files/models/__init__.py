"""Model files, read without running them."""
