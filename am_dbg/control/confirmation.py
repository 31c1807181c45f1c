"""Confirmation before data is lost: an action has to be asked for twice in a row."""

from __future__ import annotations

from am_dbg.keys import Key, by_action, sign_of


class Confirming:
    """Remembers the last question; any other action in between declines it."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self._keys = by_action(keys)
        self._before: tuple[str, ...] = ()
        self._asked: tuple[str, ...] = ()

    def begin(self) -> None:
        """Note that an action begins; it may confirm the question of the action before it."""
        self._before, self._asked = self._asked, ()

    def is_confirmed(self, *wish: str) -> bool:
        """Whether the same action was asked for right before; if not, the question is open now."""
        if self._before == wish:
            return True
        self._asked = wish
        return False

    def question(self, action: str, lost: str) -> str:
        """The question when something would be lost: how to go on, and how to keep it."""
        again, export = self._sign(action), self._sign("export")
        return f"{again} again loses {lost}, in no file yet; {export} exports"

    def _sign(self, action: str) -> str:
        """The key of an action, or its name for the palette when it has none."""
        keys = self._keys[action].all_keys
        return sign_of(keys[0]) if keys else action.replace("_", " ")
