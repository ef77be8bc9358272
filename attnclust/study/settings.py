"""What a study measures, and the digest that tells one study from another."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attnclust import __version__
from attnclust._array import ArgumentError
from attnclust.data import DEFAULT_CONDITIONS, VOCObjects, make_scenes
from attnclust.data.archive import how_to_get, is_archive, unpack
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
        data: ``scenes``, or a folder in Pascal VOC layout, or a tar of one, which is unpacked beside itself.
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
    path = Path(settings.data)
    try:
        return VOCObjects(unpack(path) if is_archive(path) else path)
    except ArgumentError as error:
        rule = f"must be '{SCENES}', or a folder or tar in Pascal VOC layout"
        remedy = f"In detail: {error}" + ("" if path.exists() else f" {how_to_get('2009')}")
        raise ArgumentError("--data", rule, settings.data, remedy) from error


def identity(settings: Settings, loaded: LoadedModel, data: Images) -> dict[str, Any]:
    """Everything that decides a study's numbers: two studies are one if and only if these agree."""
    return {
        "attnclust": __version__,
        "schema": SCHEMA_VERSION,
        "model": loaded.name,
        "weights": loaded.weights,
        "weights_sha256": loaded.sha256,
        "data": _data_identity(data),
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


def _data_identity(data: Images) -> dict[str, Any]:
    """What is in the data, wherever they lie: the bytes of every file that may be read, not their dates.

    Reading them all takes about a second for 3,000 images, once a study, and they are read again anyway; a
    mask edited to the same size is another study.
    """
    if not isinstance(data, VOCObjects):
        return {"kind": SCENES}
    content = hashlib.sha256()
    for name in data.names:
        for file in data.files(name):
            content.update(f"{file.parent.name}/{file.name} ".encode())
            content.update(_content_digest(file))
    return {
        "kind": "voc",
        "year": found[0] if (found := re.findall("^VOC[0-9]{4}$", data.root.resolve().name)) else None,
        "images": len(data),
        "without_mask": len(data.unlabelled),
        "sha256_of_content": content.hexdigest(),
    }


def _content_digest(file: Path) -> bytes:
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:  # the study will name and skip it
        return b"unreadable"


def _file_digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ArgumentError(
            "--image", "must be a file that can be read", f"{file}: {error}", "Check the path."
        ) from error
