"""Rules that describe the records behind a gap."""
