"""Confirmation before data is lost: the user repeats the action."""

from __future__ import annotations

from am_dbg.keys import Key, by_action, sign_of


class Confirmation:
    """Keeps the open question; any other action answers it with no."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self._keys = by_action(keys)
        self._before: tuple[str, ...] = ()
        self._asked: tuple[str, ...] = ()

    def begin(self) -> None:
        """Begin an action; it can confirm the question of the action before it."""
        self._before, self._asked = self._asked, ()

    def is_confirmed(self, *action: str) -> bool:
        """Whether the action before was the same; if not, the question is open now."""
        if self._before == action:
            return True
        self._asked = action
        return False

    def question(self, action: str, lost: str) -> str:
        """The question when something would be lost: how to confirm, and how to save it."""
        again, export = self._sign(action), self._sign("export")
        return f"{again} again loses {lost}; {export} exports"

    def _sign(self, action: str) -> str:
        """The key of an action, or its name for the palette when it has none."""
        keys = self._keys[action].all_keys
        return sign_of(keys[0]) if keys else action.replace("_", " ")
