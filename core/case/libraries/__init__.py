"""Models of libraries other than scikit-learn, none of which is imported here."""
