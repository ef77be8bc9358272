"""What a study measures, and the digest that tells one study from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnclust import __version__
from attnclust._array import ArgumentError
from attnclust.data import DEFAULT_CONDITIONS, VOCObjects, make_scenes
from attnclust.models import STUDENT_NAME, LoadedModel
from attnclust.records import SCHEMA_VERSION

SCENES = "scenes"
DEFAULT_SCENES = 32
# More scenes than any study reads: they are made one by one, when asked for.
_SCENE_SUPPLY = 2**20

Images = Sequence[Any]
"""``Sequence[LabelledImage]``; not spelt out, since reading one to check its type may fail."""


@dataclass(frozen=True)
class Settings:
    """A study, as it was asked for.

    Attributes:
        model: ``attnclust_student`` or a name of timm's.
        checkpoint, pretrained, random_weights: where the weights come from (at most one).
        data: ``scenes``, or a folder in Pascal VOC layout.
        conditions: names as ``attnclust.data.parse_condition`` reads them.
        protocol: ``official``, ``paper`` or ``blind``.
        images: photographs of the user's own, drawn in the section on neurons.
        mosaic: join four of them into one.
        limit: stop after so many images that pass the selection without any condition; None for all
            (32 for scenes, of which there is no end).
        device: ``cpu`` or ``cuda``.
        seed: of scenes, conditions, random weights and resampling.
    """

    model: str = STUDENT_NAME
    checkpoint: Path | None = None
    pretrained: bool = False
    random_weights: bool = False
    data: str = SCENES
    conditions: Sequence[str] = DEFAULT_CONDITIONS
    protocol: str = "official"
    images: Sequence[Path] = ()
    mosaic: bool = False
    limit: int | None = None
    device: str = "cpu"
    seed: int = 0

    @property
    def most(self) -> int | None:
        """How many selected images end the study; None for no limit."""
        return DEFAULT_SCENES if self.limit is None and self.data == SCENES else self.limit


def open_data(settings: Settings) -> Images:
    """The data set that the settings name; a missing or empty folder is refused."""
    if settings.data == SCENES:
        return make_scenes(_SCENE_SUPPLY, seed=settings.seed)
    try:
        return VOCObjects(settings.data)
    except ArgumentError as error:
        rule = f"must be '{SCENES}' or a folder in Pascal VOC layout"
        raise ArgumentError("--data", rule, settings.data, f"In detail: {error}") from error


def identity(settings: Settings, loaded: LoadedModel) -> dict[str, Any]:
    """Everything that decides a study's numbers: two studies are one if and only if these agree."""
    return {
        "attnclust": __version__,
        "schema": SCHEMA_VERSION,
        "model": loaded.name,
        "weights": loaded.weights,
        "weights_sha256": loaded.sha256,
        "data": _data_identity(settings),
        "conditions": list(settings.conditions),
        "protocol": settings.protocol,
        "images": [{"name": file.name, "sha256": _file_digest(file)} for file in settings.images],
        "mosaic": settings.mosaic,
        "limit": settings.most,
        "device": settings.device,
        "seed": settings.seed,
    }


def digest(content: dict[str, Any]) -> str:
    """A short name for an identity."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def folder_name(settings: Settings, content: dict[str, Any]) -> str:
    """The default folder of a study: model, data and a hash of the settings."""
    data = settings.data if settings.data == SCENES else Path(settings.data).resolve().name
    words = f"{settings.model}-{data}"
    plain = "".join(c if c.isalnum() or c in "._-" else "-" for c in words)
    return f"{plain}-{digest(content)}"


def _data_identity(settings: Settings) -> dict[str, Any]:
    if settings.data == SCENES:
        return {"kind": SCENES}
    root = Path(settings.data)
    files = sorted(
        file
        for part in ("JPEGImages", "SegmentationObject", "Annotations")
        for file in root.rglob(f"{part}/*")
        if file.is_file()
    )
    listing = "\n".join(f"{file.relative_to(root)} {file.stat().st_size}" for file in files)
    return {
        "kind": "voc",
        "files": len(files),
        "sha256_of_listing": hashlib.sha256(listing.encode()).hexdigest(),
    }


def _file_digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ArgumentError(
            "--image", "must be a file that can be read", f"{file}: {error}", "Check the path."
        ) from error
