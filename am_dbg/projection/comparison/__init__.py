"""Two sessions side by side: which machines differ, where first, and how."""
