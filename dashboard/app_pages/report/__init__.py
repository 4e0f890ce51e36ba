"""Report: what was done, written down and signed, for anyone to check."""
