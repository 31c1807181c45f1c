"""Steps: the single events inside a transition."""

from __future__ import annotations

from machine._enums import Relation, StepType


class Step:
    """One thing that happened inside a transition; it never changes.

    An index is -1 when there is no such state. `rel_type` is None unless the step is a
    relation. A handler `denied`, or it `failed` with an error that was
    `raised_at` "FILE:LINE in FUNCTION".
    """

    __slots__ = (
        "denied",
        "failed",
        "from_state",
        "from_state_idx",
        "is_enter",
        "is_final",
        "is_self",
        "raised_at",
        "rel_type",
        "to_state",
        "to_state_idx",
        "type",
    )

    def __init__(
        self,
        type: StepType,
        from_state: str = "",
        from_state_idx: int = -1,
        to_state: str = "",
        to_state_idx: int = -1,
        *,
        rel_type: Relation | None = None,
        is_final: bool = False,
        is_self: bool = False,
        is_enter: bool = False,
        denied: bool = False,
        failed: bool = False,
        raised_at: str = "",
    ) -> None:
        self.type: StepType = type
        self.rel_type: Relation | None = rel_type
        self.is_final: bool = is_final
        self.is_self: bool = is_self
        self.is_enter: bool = is_enter
        self.from_state: str = from_state
        self.from_state_idx: int = from_state_idx
        self.to_state: str = to_state
        self.to_state_idx: int = to_state_idx
        self.denied: bool = denied
        self.failed: bool = failed
        self.raised_at: str = raised_at

    def __str__(self) -> str:
        origin = f" raised at {self.raised_at}" if self.raised_at else ""
        if self.from_state and self.to_state:
            return f"{self.from_state} -> {self.to_state} ({self.type}){origin}"
        return f"{self.from_state or self.to_state} ({self.type}){origin}"

    def __repr__(self) -> str:
        return f"<Step {self}>"
