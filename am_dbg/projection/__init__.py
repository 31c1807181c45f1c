"""What each pane shows, as frozen values computed from the store and the cursor."""

__all__: list[str] = []
