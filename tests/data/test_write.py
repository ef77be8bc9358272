"""Labelled images written as VOC: masks and classes come back to the bit, pictures nearly."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from attnclust._array import ArgumentError
from attnclust.data import LabelledImage, VOCObjects, write_voc


def labelled(name: str, mask: np.ndarray, *classes: str) -> LabelledImage:
    rows, columns = np.indices(mask.shape)
    image = np.stack([3 * rows, 2 * columns, rows + columns], axis=2).astype(np.uint8)
    return LabelledImage(name, image, mask, classes)


def test_masks_come_back_to_the_bit(tmp_path: Path, two_objects):
    every = np.arange(256, dtype=np.uint8).reshape(8, 32)
    samples = [
        labelled("z", two_objects, "cat", "potted <plant> & pot"),
        labelled("b", every, *(f"class {i}" for i in range(200))),
        labelled("c", np.full((5, 3), 255, np.uint8)),
    ]
    write_voc(tmp_path / "out", iter(samples))
    data = VOCObjects(tmp_path / "out", split="val")
    assert data.names == ("z", "b", "c")
    for wrote, read in zip(samples, data, strict=True):
        np.testing.assert_array_equal(read.instances, wrote.instances)
        assert read.classes == wrote.classes
        assert read.image.shape == wrote.image.shape
        assert np.abs(read.image.astype(int) - wrote.image.astype(int)).mean() < 3


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=23), fill=st.nothing()))
def test_any_mask_survives(tmp_path_factory, mask):
    root = tmp_path_factory.mktemp("voc")
    write_voc(root, [labelled("a", mask, *["x"] * int(mask.max(where=mask <= 200, initial=0)))])
    np.testing.assert_array_equal(VOCObjects(root)[0].instances, mask)


def test_colours_and_boxes_are_vocs(tmp_path: Path, two_objects):
    write_voc(tmp_path, [labelled("a", two_objects, "cat", "dog", "absent")])
    palette = Image.open(tmp_path / "SegmentationObject/a.png").getpalette()
    assert palette is not None
    colours = [tuple(palette[3 * i : 3 * i + 3]) for i in (0, 1, 2, 3, 8, 255)]
    # From the PASCAL VOC development kit: aeroplane red, bicycle green, cat (8) dark red, void cream.
    assert colours == [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (64, 0, 0), (224, 224, 192)]
    objects = ET.parse(tmp_path / "Annotations/a.xml").getroot().findall("object")
    boxes = [
        [found.findtext(f"bndbox/{tag}") for tag in ("xmin", "ymin", "xmax", "ymax")] for found in objects
    ]
    assert boxes == [["3", "4", "19", "13"], ["6", "18", "41", "29"], [None] * 4]


@pytest.mark.parametrize("name", ["", "a b", "a/b", "..", "a\n", ".a", "a:b"])
def test_names_must_be_file_names(tmp_path: Path, two_objects, name):
    with pytest.raises(ArgumentError, match="file name"):
        write_voc(tmp_path, [labelled(name, two_objects, "cat", "dog")])


def test_wrong_samples_are_refused(tmp_path: Path, two_objects):
    good = labelled("a", two_objects, "cat", "dog")
    with pytest.raises(ArgumentError, match="'a' twice"):
        write_voc(tmp_path / "1", [good, good])
    with pytest.raises(ArgumentError, match="1 classes for objects up to 2"):
        write_voc(tmp_path / "2", [labelled("a", two_objects, "cat")])
    with pytest.raises(ArgumentError, match="201 classes"):
        write_voc(tmp_path / "3", [labelled("a", two_objects, *["x"] * 201)])
    # The type checker that runs with the tests would stop such a sample earlier.
    turned = labelled("b", two_objects, "cat", "dog")
    object.__setattr__(turned, "instances", two_objects.T)
    with pytest.raises(ArgumentError, match=r"\(47, 31\) for \(31, 47\)"):
        write_voc(tmp_path / "4", [turned])
    assert not list(tmp_path.rglob("val.txt"))


def test_nothing_is_written_over(tmp_path: Path, two_objects):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ArgumentError, match="new or empty"):
        write_voc(tmp_path, [labelled("a", two_objects, "cat", "dog")])
    with pytest.raises(ArgumentError, match="new or empty"):
        write_voc(tmp_path / "notes.txt", [])
    assert (tmp_path / "notes.txt").read_text() == "mine"
