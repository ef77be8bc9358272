"""Real images, really broken: each handled as the reader's documentation says, named and counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attnclust.data import VOCObjects, squash
from attnclust.data.patches import select_objects
from attnclust.records import read_results, read_table
from attnclust.study import run_study
from attnclust.study.settings import _data_identity
from tests.study.conftest import small

FOLDERS = {"JPEGImages": "jpg", "SegmentationObject": "png", "Annotations": "xml"}


@pytest.fixture(scope="module")
def good(real_data: Path) -> list[str]:
    """Real images that the small model's selection lets in."""
    data = VOCObjects(real_data / "VOCdevkit")
    chosen = [
        sample.name
        for sample in data[:20]
        if select_objects(squash(sample, 160).instances, sample.classes, grid=10).reason is None
    ]
    assert len(chosen) >= 5
    return chosen


@pytest.fixture
def copy(real_data: Path, tmp_path: Path):
    root = tmp_path / "VOC2007"

    def add(source: str, name: str) -> dict[str, Path]:
        files = {}
        for folder, suffix in FOLDERS.items():
            (root / folder).mkdir(parents=True, exist_ok=True)
            files[folder] = root / folder / f"{name}.{suffix}"
            shutil.copy(real_data / "VOCdevkit" / "VOC2007" / folder / f"{source}.{suffix}", files[folder])
        return files

    return add


def remask(file: Path, change) -> None:
    mask = Image.open(file)
    palette = mask.getpalette()
    changed = Image.fromarray(change(np.array(mask)).astype(np.uint8))
    assert palette is not None
    changed.putpalette(palette)
    changed.save(file)


def test_every_kind_of_bad_image_is_named_and_counted(copy, good: list[str], tmp_path: Path):
    source = good[0]
    copy(source, "a-good")
    copy(source, "no-mask")["SegmentationObject"].unlink()
    copy(source, "no-picture")["JPEGImages"].unlink()
    copy(source, "no-annotation")["Annotations"].unlink()
    file = copy(source, "cut-short")["JPEGImages"]
    file.write_bytes(file.read_bytes()[:5000])
    copy(source, "zero-bytes")["JPEGImages"].write_bytes(b"")
    copy(source, "zero-mask")["SegmentationObject"].write_bytes(b"")
    remask(copy(source, "unknown-id")["SegmentationObject"], lambda m: np.where(m == 1, 77, m))
    remask(copy(source, "void-only")["SegmentationObject"], lambda m: np.full_like(m, 255))
    remask(copy(source, "one-object")["SegmentationObject"], lambda m: np.where(m > 1, 0, m))
    remask(copy(source, "other-size")["SegmentationObject"], lambda m: m[:-9])
    tiny = copy(source, "tiny-objects")
    remask(
        tiny["SegmentationObject"],
        lambda m: (np.add.outer(np.arange(len(m)) // 9 * 60, np.arange(m.shape[1]) // 9)) % 200 + 1,
    )
    tiny["Annotations"].write_text(
        "<annotation>" + "<object><name>ant</name></object>" * 200 + "</annotation>"
    )
    for name, mode in (("grey", "L"), ("cmyk", "CMYK")):
        file = copy(source, name)["JPEGImages"]
        Image.open(file).convert(mode).save(file)
    odd = copy(source, "odd-size")
    for kind, filter_ in (
        ("JPEGImages", Image.Resampling.BICUBIC),
        ("SegmentationObject", Image.Resampling.NEAREST),
    ):
        picture = Image.open(odd[kind])
        picture.resize((331, 97), filter_).save(odd[kind])

    settings = small(data=str(tmp_path / "VOC2007"), limit=None, conditions=("clean",))
    folder = run_study(settings, output=tmp_path / "out")
    results = read_results(folder)
    skipped = {entry["image"]: entry["reason"] for entry in results["skipped"]}
    for name, reason in {
        "no-picture": "no picture JPEGImages/no-picture.jpg",
        "no-annotation": "no annotation Annotations/no-annotation.xml",
        "cut-short": "cut-short.jpg cannot be read",
        "zero-bytes": "zero-bytes.jpg cannot be read",
        "zero-mask": "zero-mask.png cannot be read",
        "unknown-id": "its mask holds object 77",
        "other-size": "its mask is",
    }.items():
        assert reason in skipped.pop(name), name
    assert not skipped
    rows = {row["image"]: row for row in read_table(folder, "images").to_pylist()}
    assert rows["void-only"]["reason"] == rows["one-object"]["reason"] == "too few objects"
    assert rows["tiny-objects"]["reason"] == "too few objects"
    assert {name for name, row in rows.items() if row["selected"]} == {"a-good", "grey", "cmyk", "odd-size"}
    assert results["images"]["clean"]["reasons"] == {"could not be read": 7, "too few objects": 3}
    assert results["metrics"]["clean"]["purity"]["n"] == 4
    assert results["notes"]["no mask"] == {"n": 1, "first": ["no-mask: it has a picture and no mask"]}
    assert results["notes"]["converted"]["n"] == 2
    assert "cmyk: its picture is CMYK" in results["notes"]["converted"]["first"][0]


def test_a_mask_edited_to_the_same_size_is_another_study(copy, good: list[str], tmp_path: Path):
    file = copy(good[0], "a")["SegmentationObject"]
    root = tmp_path / "VOC2007"
    before = _data_identity(VOCObjects(root))
    shutil.copytree(root, tmp_path / "elsewhere" / "VOC2007")
    assert _data_identity(VOCObjects(tmp_path / "elsewhere" / "VOC2007")) == before
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    after = _data_identity(VOCObjects(root))
    assert after != before
    assert {key: value for key, value in after.items() if key != "sha256_of_content"} == {
        key: value for key, value in before.items() if key != "sha256_of_content"
    }
