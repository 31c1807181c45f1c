"""A connection to another debugger that reads its answer: whether it takes records.

The hello asks. A debugger that knows the question answers with a frame at once; another one
answers nothing. What cannot be understood counts as no answer.
"""

from __future__ import annotations

from dataclasses import replace

from amtracer.address import Address
from amtracer.errors import WireError
from amtracer.send.sinks import SocketSink
from amtracer.wire.codec import WIRE, FrameReader
from amtracer.wire.messages import AnswerMessage, HelloMessage, Message


class AskingSink(SocketSink):
    """A debugger at an address that may take records; `has_answer` is whether it answered."""

    def __init__(self, address: Address) -> None:
        super().__init__(address)
        self.has_answer = self.takes_records = False
        self._answer: FrameReader | None = None

    def open(self) -> None:
        self.has_answer = self.takes_records = False
        self._answer = FrameReader(WIRE)
        super().open()

    def write(self, message: Message) -> None:
        if type(message) is HelloMessage:
            message = replace(message, asks=1)
        super().write(message)

    def _received(self, data: bytes) -> None:
        if self._answer is None:
            return
        try:
            for message in self._answer.feed(data):
                if type(message) is AnswerMessage:
                    self.has_answer, self.takes_records = True, message.takes == 1
                    self._answer = None
                    return
        except WireError:
            self._answer = None
