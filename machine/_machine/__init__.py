"""The `Machine` class: its construction and all of its methods."""
