"""What comes in and goes out: tables, models and saved cases."""
