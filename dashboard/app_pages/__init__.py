"""The pages, named by what the person does."""
