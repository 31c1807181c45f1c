"""What each pane shows, as frozen values worked out from the store and the reader's place."""

__all__: list[str] = []
