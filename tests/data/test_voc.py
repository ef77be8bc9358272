"""The VOC reader: what it reads, and that whatever is wrong with one image is told and harms no other."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attnclust._array import ArgumentError
from attnclust.data import LabelledImage, UnreadableImageError, VOCObjects


def noise(height: int, width: int, channels: int = 3) -> Image.Image:
    pixels = np.random.default_rng(5).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(pixels)


def test_reads_picture_mask_and_classes(folder, two_objects):
    folder.add("b", two_objects, ("cat", "dining table"))
    folder.add("a", two_objects[::-1], ("dog", "dog"))
    data = VOCObjects(folder.root)
    assert data.names == ("a", "b")
    first, second = data
    assert isinstance(first, LabelledImage)
    assert (first.name, first.classes, second.classes) == ("a", ("dog", "dog"), ("cat", "dining table"))
    np.testing.assert_array_equal(second.instances, two_objects)
    np.testing.assert_array_equal(first.instances, two_objects[::-1])
    assert first.image.shape == (31, 47, 3)
    assert first.image.dtype == first.instances.dtype == np.uint8
    assert np.abs(first.image.astype(int) - (200, 30, 60)).max() <= 3


def test_mask_is_palette_indices_not_colours(folder, two_objects):
    # Palette entry 1 is (1, 254, 0) there: a reader that converts to grey or RGB sees other numbers.
    folder.add("a", two_objects, ("cat", "dog"))
    assert set(np.unique(VOCObjects(folder.root)[0].instances)) == {0, 1, 2, 255}


def test_grey_mask_is_read_as_numbers(folder, two_objects):
    folder.add("a", two_objects, ("cat", "dog"))
    Image.fromarray(two_objects).save(folder.root / "SegmentationObject" / "a.png")
    np.testing.assert_array_equal(VOCObjects(folder.root)[0].instances, two_objects)


def test_split_gives_names_in_its_order_once(folder, two_objects):
    for name in "abc":
        folder.add(name, two_objects, ("cat", "dog"))
    folder.raw("ImageSets/Segmentation", "few.txt", b"c  1\na -1\n\nc  1\n")
    data = VOCObjects(folder.root, split="few")
    assert data.names == ("c", "a")
    assert data[-1].name == "a"
    part = data[1:]
    assert isinstance(part, VOCObjects)
    assert [sample.name for sample in part] == ["a"]
    assert len(data) == 2
    with pytest.raises(IndexError):
        data[2]


def test_devkit_with_one_year_is_enough(folder, two_objects):
    folder.add("a", two_objects, ("cat", "dog"))
    assert VOCObjects(folder.root.parent).root == folder.root


def test_picture_without_mask_is_left_out_and_named(folder, two_objects):
    folder.add("a", two_objects, ("cat", "dog"))
    folder.picture("plain", noise(9, 9))
    data = VOCObjects(folder.root)
    assert data.names == ("a",)
    assert data.unlabelled == ("plain",)


@pytest.mark.parametrize("hidden", ["._a.png", ".DS_Store"])
def test_hidden_files_are_no_masks(folder, two_objects, hidden):
    folder.add("a", two_objects, ("cat", "dog"))
    folder.raw("SegmentationObject", hidden, b"x")
    assert VOCObjects(folder.root).names == ("a",)


def test_upper_case_suffixes_are_read(folder, two_objects):
    folder.add("a", two_objects, ("cat", "dog"))
    for path in [*folder.root.rglob("a.jpg"), *folder.root.rglob("a.png")]:
        path.rename(path.with_suffix(path.suffix.upper()))
    assert VOCObjects(folder.root)[0].name == "a"


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colour_modes_become_rgb(folder, two_objects, mode):
    folder.add("a", two_objects, ("cat", "dog"))
    red = Image.new("RGB", (47, 31), (200, 30, 60))
    folder.picture("a", red.convert(mode))
    expected = np.array(red.convert(mode).convert("RGB")).astype(int)
    assert np.abs(VOCObjects(folder.root)[0].image.astype(int) - expected).max() <= 3


def test_exif_rotation_is_not_applied_to_data(folder, two_objects):
    folder.add("a", two_objects, ("cat", "dog"))
    picture = noise(31, 47)
    exif = Image.Exif()
    exif[0x0112] = 6
    folder.picture("a", picture, exif=exif)
    assert VOCObjects(folder.root)[0].image.shape == (31, 47, 3)


def test_an_object_without_pixels_is_kept(folder, two_objects):
    folder.add("a", two_objects, ("cat", "dog", "sofa"))
    assert VOCObjects(folder.root)[0].classes == ("cat", "dog", "sofa")


def test_void_only_is_an_image_without_objects(folder):
    folder.add("a", np.full((31, 47), 255), ())
    sample = VOCObjects(folder.root)[0]
    assert sample.classes == ()
    assert (sample.instances == 255).all()


def test_two_hundred_tiny_objects_are_told_apart(folder):
    mask = (np.arange(31 * 47).reshape(31, 47) // 7).clip(max=200)
    folder.add("a", mask, tuple(f"class{i}" for i in range(200)))
    np.testing.assert_array_equal(VOCObjects(folder.root)[0].instances, mask)


def _bad_size(folder, mask):
    folder.picture("bad", noise(31, 46))


def _bad_truncated(folder, mask):
    stream = io.BytesIO()
    noise(31, 47).save(stream, "JPEG", quality=95)
    folder.raw("JPEGImages", "bad.jpg", stream.getvalue()[:700])


def _bad_transposed(folder, mask):
    folder.mask("bad", mask.T)


BAD = {
    "no picture": (lambda f, m: (f.root / "JPEGImages/bad.jpg").unlink(), "no picture JPEGImages/bad.jpg"),
    "no annotation": (
        lambda f, m: (f.root / "Annotations/bad.xml").unlink(),
        "no annotation Annotations/bad.xml",
    ),
    "empty picture": (lambda f, m: f.raw("JPEGImages", "bad.jpg", b""), "cannot be read"),
    "text as picture": (lambda f, m: f.raw("JPEGImages", "bad.jpg", b"<html>404</html>"), "cannot be read"),
    "truncated picture": (_bad_truncated, "cannot be read"),
    "broken mask": (
        lambda f, m: f.raw("SegmentationObject", "bad.png", b"\x89PNG\r\n\x1a\n1234"),
        "cannot be read",
    ),
    "broken annotation": (
        lambda f, m: f.raw("Annotations", "bad.xml", b"<annotation><object>"),
        "cannot be read",
    ),
    "nameless object": (
        lambda f, m: f.raw("Annotations", "bad.xml", b"<a><object><name>x</name></object><object/></a>"),
        "object 2 .* has no name",
    ),
    "size": (_bad_size, "mask is 47 x 31 pixels, its picture 46 x 31"),
    "transposed mask": (_bad_transposed, "mask is 31 x 47 pixels, its picture 47 x 31"),
    "unknown object": (
        lambda f, m: f.annotation("bad", ("cat",)),
        "object 2, but its annotation lists 1 objects",
    ),
    "too many objects": (lambda f, m: f.annotation("bad", ("ant",) * 201), "lists 201 objects"),
    "colour mask": (
        lambda f, m: noise(31, 47).save(f.root / "SegmentationObject/bad.png"),
        "mode RGB, not palette",
    ),
}


@pytest.mark.parametrize("spoil", BAD)
def test_a_bad_image_is_told_and_harms_no_other(folder, two_objects, spoil):
    for name in ("a", "bad", "c"):
        folder.add(name, two_objects, ("cat", "dog"))
    break_it, reason = BAD[spoil]
    break_it(folder, two_objects)
    data = VOCObjects(folder.root)
    assert len(data) == 3
    with pytest.raises(UnreadableImageError, match=reason) as caught:
        data[1]
    assert caught.value.name == "bad"
    assert (data[0].name, data[2].name) == ("a", "c")


def test_a_split_may_name_what_is_not_there(folder, two_objects):
    folder.add("a", two_objects, ("cat", "dog"))
    folder.raw("ImageSets/Segmentation", "val.txt", b"a\nghost\n../a\n")
    data = VOCObjects(folder.root, split="val")
    for index in (1, 2):
        with pytest.raises(UnreadableImageError, match="has no"):
            data[index]


@pytest.mark.parametrize("kind", ["JPEGImages/a.jpg", "SegmentationObject/a.png", "Annotations/a.xml"])
def test_damaged_bytes_raise_nothing_but_unreadable(folder, two_objects, kind):
    folder.add("a", two_objects, ("cat", "dog"))
    path = folder.root / kind
    whole = path.read_bytes()
    data = VOCObjects(folder.root)
    dice = random.Random(11)
    told = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 6)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path.write_bytes(damaged[: dice.randint(0, 2 * len(damaged))])
        try:
            assert data[0].image.shape[:2] == data[0].instances.shape
        except UnreadableImageError:
            told += 1
    assert told > 30


def test_a_missing_folder_is_named_with_what_was_looked_for(tmp_path: Path):
    with pytest.raises(ArgumentError, match="nowhere, which is not there") as caught:
        VOCObjects(tmp_path / "nowhere")
    assert "JPEGImages" in str(caught.value)
    with pytest.raises(ArgumentError, match="without JPEGImages and SegmentationObject and Annotations"):
        VOCObjects(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match="which is no folder"):
        VOCObjects(tmp_path / "file")


def test_a_folder_without_masks_is_named(folder):
    folder.picture("a", noise(9, 9))
    with pytest.raises(ArgumentError, match=r"none in .*SegmentationObject"):
        VOCObjects(folder.root)


def test_a_devkit_with_two_years_is_refused_by_name(tmp_path: Path):
    for year in (2007, 2012):
        (tmp_path / f"VOC{year}").mkdir()
    with pytest.raises(ArgumentError, match="VOC2007, VOC2012"):
        VOCObjects(tmp_path)


def test_a_missing_split_lists_those_there(folder, two_objects):
    folder.add("a", two_objects, ("cat", "dog"))
    with pytest.raises(ArgumentError, match="Splits there: none"):
        VOCObjects(folder.root, split="val")
    for name in ("train", "test"):
        folder.raw("ImageSets/Segmentation", f"{name}.txt", b"\n")
    with pytest.raises(ArgumentError, match=r"val\.txt must be there.*Splits there: test, train"):
        VOCObjects(folder.root, split="val")
    with pytest.raises(ArgumentError, match="an empty file"):
        VOCObjects(folder.root, split="train")


def test_real_voc(real_data):
    data = VOCObjects(real_data / "VOCdevkit")
    assert len(data) == 44
    assert len(VOCObjects(real_data / "VOCdevkit" / "VOC2007", split="train")) == 20
    assert data[0].name == "000032"
    assert data[0].classes == ("aeroplane", "aeroplane", "person", "person")
    assert data[0].image.shape == (281, 500, 3)
    assert all(sample.instances.max() in (255, len(sample.classes)) for sample in data)
