"""Find: the records behind a gap."""
