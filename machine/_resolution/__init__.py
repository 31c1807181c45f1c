"""Relations: what a mutation comes to, worked out once and remembered."""
