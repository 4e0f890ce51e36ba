"""Tables and lists of ids from files."""
