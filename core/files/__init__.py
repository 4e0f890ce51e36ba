"""Tables, models and saved cases, read and written."""
