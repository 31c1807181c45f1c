"""What each pane shows, as frozen values computed from the store and the cursor.

A pane that shows a window is given the number of its rows or columns. Texts have no width
here: drawing measures them, cuts them and drops what has no room.
"""

__all__: list[str] = []
