"""The user's own arrangement of the screen: sizes, speed, and what is kept until the next start."""
