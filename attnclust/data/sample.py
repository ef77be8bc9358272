"""The one form in which every data set hands over a labelled image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8


@dataclass(frozen=True)
class LabelledImage:
    """An image with its objects, as Pascal VOC stores them.

    ``instances`` holds 0 for background, ``i + 1`` for the i-th object, and values above 200 for void;
    ``classes[i]`` names the class of the i-th object; ``mode`` is the picture's own colour mode (Pillow's
    name), from which ``image`` was converted.
    """

    name: str
    image: UInt8[np.ndarray, "h w 3"]
    instances: UInt8[np.ndarray, "h w"]
    classes: tuple[str, ...]
    mode: str = "RGB"


class UnreadableImageError(Exception):
    """One image of a data set cannot be used; the run goes on without it and counts it."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason
