"""Values of the store as bytes of records, and back."""
