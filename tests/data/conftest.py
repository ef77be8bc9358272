"""A small VOC folder written by hand, with Pillow and plain text, not by the package's writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


class Folder:
    """Adds pictures, masks and annotations one by one, so that a test can leave one out or spoil it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("JPEGImages", "SegmentationObject", "Annotations"):
            (root / name).mkdir(parents=True)

    def add(self, name: str, mask: np.ndarray, classes: tuple[str, ...]) -> None:
        self.picture(name, Image.new("RGB", (mask.shape[1], mask.shape[0]), (200, 30, 60)))
        self.mask(name, mask)
        self.annotation(name, classes)

    def picture(self, name: str, picture: Image.Image, **options: Any) -> None:
        picture.save(self.root / "JPEGImages" / f"{name}.jpg", **options)

    def mask(self, name: str, mask: np.ndarray) -> None:
        picture = Image.fromarray(mask.astype(np.uint8))
        picture.putpalette([value for i in range(256) for value in (i, 255 - i, i // 2)])
        picture.save(self.root / "SegmentationObject" / f"{name}.png")

    def annotation(self, name: str, classes: tuple[str, ...]) -> None:
        objects = "".join(f"<object><name>{c}</name><part><name>head</name></part></object>" for c in classes)
        self.raw("Annotations", f"{name}.xml", f"<annotation>{objects}</annotation>".encode())

    def raw(self, folder: str, file: str, content: bytes) -> None:
        path = self.root / folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def two_objects() -> np.ndarray:
    """Object 1 at the top left, object 2 at the bottom, with a void rim between."""
    mask = np.zeros((31, 47), np.uint8)
    mask[3:13, 2:19] = 1
    mask[13, :] = 255
    mask[17:29, 5:41] = 2
    return mask


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "VOC2042")
