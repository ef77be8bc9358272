"""Labelled images written as a folder in the layout of Pascal VOC."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image

from attnclust._array import ArgumentError

from .sample import LabelledImage
from .voc import VOID_ABOVE


def write_voc(root: str | PathLike[str], images: Iterable[LabelledImage]) -> None:
    """Write labelled images as a Pascal VOC folder that :class:`~attnclust.data.VOCObjects` reads back.

    Pictures become JPEG (quality 95, no chroma subsampling: close, not exact); masks become palette PNG with
    VOC's colours, exact; classes and bounding boxes (1-based, inclusive) become XML, and
    ``ImageSets/Segmentation/val.txt`` lists the names, in their order. That list is written last, so a folder
    with it is whole.

    Args:
        root: a folder that is not there yet, or an empty one.
        images: the labelled images; each name is a file name without white space, and occurs once.

    Raises:
        ArgumentError: the folder holds files; a name cannot be a file name or comes twice; a mask has another
            size than its image, or holds an object that ``classes`` does not name; more than 200 objects.

    Example: see :class:`~attnclust.data.VOCObjects`.
    """
    root = Path(root)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ArgumentError("root", "it must be a new or empty folder", str(root), "Name another folder.")
    folders = [
        root / name for name in ("JPEGImages", "SegmentationObject", "Annotations", "ImageSets/Segmentation")
    ]
    for folder in folders:
        folder.mkdir(parents=True)
    jpegs, masks, annotations, splits = folders
    names: dict[str, None] = {}
    for sample in images:
        _check(sample, names)
        names[sample.name] = None
        Image.fromarray(sample.image).save(jpegs / f"{sample.name}.jpg", quality=95, subsampling=0)
        mask = Image.fromarray(sample.instances)
        mask.putpalette(_PALETTE)
        mask.save(masks / f"{sample.name}.png")
        annotation = ET.ElementTree(_annotation(sample))
        ET.indent(annotation)
        annotation.write(annotations / f"{sample.name}.xml", encoding="utf-8")
    (splits / "val.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def _check(sample: LabelledImage, names: dict[str, None]) -> None:
    name = sample.name
    if not name or name.split() != [name] or name.startswith(".") or set(name) & set('/\\:*?"<>|\0'):
        raise ArgumentError(
            "images", "a name must be a file name without white space", repr(name), "Rename it."
        )
    if name in names:
        raise ArgumentError("images", "each name must occur once", f"{name!r} twice", "Rename one of them.")
    if sample.image.shape[:2] != sample.instances.shape:
        raise ArgumentError(
            "images",
            "a mask must be as high and wide as its image",
            f"{sample.instances.shape} for {sample.image.shape[:2]} in {name!r}",
            "Give the mask of that image.",
        )
    highest = int(sample.instances.max(where=sample.instances <= VOID_ABOVE, initial=0))
    if not highest <= len(sample.classes) <= VOID_ABOVE:
        raise ArgumentError(
            "images",
            f"classes must name every object of the mask, and at most {VOID_ABOVE}",
            f"{len(sample.classes)} classes for objects up to {highest} in {name!r}",
            "Give one class an object.",
        )


def _annotation(sample: LabelledImage) -> ET.Element:
    root = ET.Element("annotation")
    _leaf(root, "filename", f"{sample.name}.jpg")
    height, width = sample.instances.shape
    size = ET.SubElement(root, "size")
    for tag, number in (("width", width), ("height", height), ("depth", 3)):
        _leaf(size, tag, str(number))
    _leaf(root, "segmented", "1")
    for index, class_name in enumerate(sample.classes, start=1):
        found = ET.SubElement(root, "object")
        _leaf(found, "name", class_name)
        rows, columns = np.nonzero(sample.instances == index)
        if rows.size:
            box = ET.SubElement(found, "bndbox")
            for tag, number in (
                ("xmin", columns.min() + 1),
                ("ymin", rows.min() + 1),
                ("xmax", columns.max() + 1),
                ("ymax", rows.max() + 1),
            ):
                _leaf(box, tag, str(number))
    return root


def _leaf(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _palette() -> list[int]:
    """VOC's colours: the bits of the value, three by three, fill red, green and blue from the top."""
    colours = []
    for value in range(256):
        for channel in range(3):
            bits = (value >> (3 * place + channel) & 1 for place in range(3))
            colours.append(sum(bit << (7 - place) for place, bit in enumerate(bits)))
    return colours


_PALETTE = _palette()
