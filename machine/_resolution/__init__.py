"""Relations: what a mutation results in, resolved once and cached."""
