"""The command line: what the library does, as tables or as JSON."""
