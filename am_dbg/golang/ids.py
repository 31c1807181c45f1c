"""Leaves out the transition ids nobody refers to.

Ids of Go transitions are random, so each costs its 16 bytes in a file, most of it for a
session whose ids are hardly ever named. Kept are those another transition names as its
source; the links between machines need them. Transitions also have their numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from amtracer.schema import BatchMessage, Message

__all__ = ["only_referred_ids"]


def only_referred_ids(messages: Sequence[Message]) -> Iterator[Message]:
    """The messages of a whole session, their ids only where a source names them."""
    named = {
        source.tx
        for message in messages
        if isinstance(message, BatchMessage)
        for source in message.sources.values()
    }
    for message in messages:
        if isinstance(message, BatchMessage) and message.ids:
            kept = {at: tx for at, tx in message.ids.items() if tx in named}
            yield replace(message, ids=kept)
        else:
            yield message
