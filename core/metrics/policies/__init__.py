"""Policy profiles: conventions that rates and gaps are held against, in editable files."""
