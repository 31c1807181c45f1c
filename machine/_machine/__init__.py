"""The machine itself: its construction and all of its calls."""
