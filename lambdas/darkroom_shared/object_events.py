"""Object events: how their sequencers are compared, and the mark of those that `reconcile` sends."""

from __future__ import annotations

SEQUENCER_DIGITS = 32
FIRST_SEQUENCER = "0" * SEQUENCER_DIGITS

RECONCILE = "reconcile"
"""The `reason` in object events that `reconcile` sends. In S3's own events it names an operation."""


def pad_sequencer(sequencer: str) -> str:
    """Return a sequencer so that the order of strings is the order of events: upper case, zeros on the right."""
    return sequencer.upper().ljust(SEQUENCER_DIGITS, "0")


def sequencer_after(sequencer: str) -> str:
    """Return the sequencer that follows a padded one."""
    return f"{int(sequencer, 16) + 1:0{SEQUENCER_DIGITS}X}"
