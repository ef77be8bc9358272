"""Data sets in the folder layout of Pascal VOC, read."""

from __future__ import annotations

import copy
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import overload

import numpy as np
from PIL import Image

from attnclust._array import ArgumentError

from .sample import LabelledImage, UnreadableImageError

VOID_ABOVE = 200
"""Mask values above this one are void (VOC's 255), so a mask tells at most this many objects apart."""

DECODING_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow's and zlib's decoders raise on damaged bytes."""


class VOCObjects(Sequence[LabelledImage]):
    """The images of a Pascal VOC folder that have instance masks, each decoded when it is asked for.

    The folder holds ``JPEGImages/NAME.jpg`` (or ``.jpeg``), ``SegmentationObject/NAME.png`` (a palette or
    grey image whose values are 0 for background, i for the i-th object, and above 200 for void),
    ``Annotations/NAME.xml`` (whose i-th ``<object>`` names the class of mask value i) and, if a split is
    asked for, ``ImageSets/Segmentation/SPLIT.txt`` with one name a line.

    What happens to data that are not as they should be:

    - an image without a mask is left out, and its name is in ``unlabelled`` (unless the split names it: then
      it is an unreadable image);
    - a mask without an image or annotation, an unreadable JPEG, PNG or XML, a mask in colour, a mask whose
      size differs from its image's, a mask value that no ``<object>`` of the annotation stands for, an object
      without a name, or more than 200 objects (values above 200 are void): ``data[i]`` raises
      :class:`~attnclust.data.sample.UnreadableImageError`, and the other images can still be used;
    - grey and CMYK pictures are converted to RGB, and ``mode`` of the image tells from what;
    - objects of the annotation that have no pixel are kept, with area 0; EXIF orientation is not applied,
      since the masks are not rotated either.

    Args:
        root: a folder such as ``VOCdevkit/VOC2007``, or the ``VOCdevkit`` that holds exactly one of them.
        split: a name under ``ImageSets/Segmentation``, such as ``"val"``; ``None`` takes every mask, by name.

    Attributes:
        root: the folder that holds ``JPEGImages``.
        names: the names of the images, in the order of the data set.
        unlabelled: names in ``JPEGImages`` that have no mask and are therefore not in the data set.

    Raises:
        ArgumentError: the folder is missing or holds no such data; the message says what was looked for.

    Example:
        >>> import tempfile, numpy as np
        >>> from attnclust.data import LabelledImage, VOCObjects, write_voc
        >>> mask = np.zeros((20, 30), np.uint8)
        >>> mask[5:15, 5:15] = 1
        >>> one = LabelledImage("a", np.full((20, 30, 3), 90, np.uint8), mask, ("cat",))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_voc(folder, [one])
        ...     data = VOCObjects(folder, split="val")
        ...     print(len(data), data[0].name, data[0].classes, bool((data[0].instances == mask).all()))
        1 a ('cat',) True
    """

    def __init__(self, root: str | PathLike[str], *, split: str | None = None) -> None:
        self.root = _find_voc(Path(root))
        self._images = _files(self.root / "JPEGImages", (".jpg", ".jpeg"))
        self._masks = _files(self.root / "SegmentationObject", (".png",))
        self._annotations = _files(self.root / "Annotations", (".xml",))
        if split is not None:
            self.names = _read_split(self.root, split)
        elif self._masks:
            self.names = tuple(sorted(self._masks))
        else:
            raise ArgumentError(
                "root",
                "the folder SegmentationObject must hold masks (*.png)",
                f"none in {self.root / 'SegmentationObject'}",
                "Unpack VOC's segmentation data there, or name another folder.",
            )
        self.unlabelled = tuple(sorted(self._images.keys() - self._masks.keys()))

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> LabelledImage: ...
    @overload
    def __getitem__(self, index: slice) -> VOCObjects: ...
    def __getitem__(self, index: int | slice) -> LabelledImage | VOCObjects:
        if isinstance(index, slice):
            part = copy.copy(self)
            part.names = self.names[index]
            return part
        return self._read(self.names[index])

    def __iter__(self) -> Iterator[LabelledImage]:
        return (self._read(name) for name in self.names)

    def files(self, name: str) -> list[Path]:
        """The picture, the mask and the annotation of an image, as far as they are there."""
        return [kind[name] for kind in (self._images, self._masks, self._annotations) if name in kind]

    def _read(self, name: str) -> LabelledImage:
        classes = _read_classes(name, _file_of(name, self._annotations, "annotation Annotations/*.xml"))
        mask = _decode(name, _file_of(name, self._masks, "mask SegmentationObject/*.png"))
        if mask.mode not in ("P", "L"):
            raise UnreadableImageError(
                name, f"its mask has mode {mask.mode}, not palette (P) or grey (L) of 8 bits"
            )
        picture = _decode(name, _file_of(name, self._images, "picture JPEGImages/*.jpg"))
        if mask.size != picture.size:
            raise UnreadableImageError(
                name, f"its mask is {_size(mask)} pixels, its picture {_size(picture)} (width x height)"
            )
        instances = np.array(mask, dtype=np.uint8)
        highest = int(instances.max(where=instances <= VOID_ABOVE, initial=0))
        if highest > len(classes):
            raise UnreadableImageError(
                name, f"its mask holds object {highest}, but its annotation lists {len(classes)} objects"
            )
        pixels = np.array(picture.convert("RGB"))
        return LabelledImage(name, pixels, instances, classes, picture.mode)


def _find_voc(root: Path) -> Path:
    """The folder that holds JPEGImages and SegmentationObject: the root itself, or its only VOCyyyy."""
    if not root.is_dir():
        raise ArgumentError(
            "root",
            "it must be a folder in Pascal VOC layout",
            f"{root}, which is {'no folder' if root.exists() else 'not there'}",
            "Give a folder such as VOCdevkit/VOC2007: JPEGImages, SegmentationObject, Annotations.",
        )
    wanted = ("JPEGImages", "SegmentationObject", "Annotations")
    missing = [folder for folder in wanted if not (root / folder).is_dir()]
    if not missing:
        return root
    years = sorted(p for p in root.glob("VOC[0-9][0-9][0-9][0-9]") if p.is_dir())
    if len(years) == 1:
        return _find_voc(years[0])
    if years:
        raise ArgumentError(
            "root",
            "a VOCdevkit must hold exactly one VOCyyyy",
            f"{', '.join(p.name for p in years)} in {root}",
            f"Name one of them, such as {years[-1]}.",
        )
    raise ArgumentError(
        "root",
        "a folder in Pascal VOC layout holds JPEGImages, SegmentationObject and Annotations",
        f"{root} without {' and '.join(missing)}, and without a folder VOCyyyy",
        "Give a folder such as VOCdevkit/VOC2007.",
    )


def _files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Name -> file; hidden files (such as the ``._NAME`` of some archives) are no data."""
    return {
        path.stem: path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    }


def _read_split(root: Path, split: str) -> tuple[str, ...]:
    folder = root / "ImageSets" / "Segmentation"
    path = folder / f"{split}.txt"
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in folder.glob("*.txt"))) if folder.is_dir() else ""
        raise ArgumentError(
            "split", f"the file {path} must be there", repr(split), f"Splits there: {there or 'none'}."
        )
    # A line may go on after the name, as in VOC's lists per class.
    names = [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not names:
        raise ArgumentError(
            "split", f"the file {path} must name images", "an empty file", "Take another split."
        )
    return tuple(dict.fromkeys(names))


def _file_of(name: str, files: dict[str, Path], what: str) -> Path:
    if name not in files:
        raise UnreadableImageError(name, f"it has no {what.replace('*', name)}")
    return files[name]


def _read_classes(name: str, path: Path) -> tuple[str, ...]:
    try:
        objects = ET.parse(path).getroot().findall("object")
    except (ET.ParseError, OSError, ValueError, LookupError) as error:
        raise UnreadableImageError(name, f"its annotation {path} cannot be read ({error})") from error
    classes = tuple((found.findtext("name") or "").strip() for found in objects)
    if "" in classes:
        raise UnreadableImageError(
            name, f"object {classes.index('') + 1} of its annotation {path} has no name"
        )
    if len(classes) > VOID_ABOVE:
        raise UnreadableImageError(
            name,
            f"its annotation lists {len(classes)} objects; a mask tells {VOID_ABOVE} apart, the rest is void",
        )
    return classes


def _decode(name: str, path: Path) -> Image.Image:
    try:
        with Image.open(path) as opened:
            opened.load()
            return opened
    except DECODING_ERRORS as error:
        raise UnreadableImageError(name, f"{path} cannot be read ({error})") from error


def _size(picture: Image.Image) -> str:
    return f"{picture.width} x {picture.height}"
