"""The dashboard: a thin face on core, one page per thing a person does."""
