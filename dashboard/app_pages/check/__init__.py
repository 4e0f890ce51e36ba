"""Check: who is treated how, and how sure that is."""
