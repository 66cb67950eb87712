"""The hops of an image's way through the pipeline."""

from enum import Enum


class Hop(Enum):
    """A hop, in order. The value says what happened."""

    UPLOADED = "uploaded"
    ROUTED = "routed"
    PICKED_UP = "picked up"
    STORED = "stored"
    ANNOUNCED = "announced"
    RECORDED = "recorded"
    NOTIFIED = "notified"
