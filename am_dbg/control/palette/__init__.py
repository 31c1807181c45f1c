"""The command palette: what it offers, what typed letters find of it, and what a choice does."""
