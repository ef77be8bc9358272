"""The user's own pictures: of every kind, too small, joined into one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attnclust._array import ArgumentError
from attnclust.data import mosaic
from attnclust.models import open_model
from attnclust.records import read_table
from attnclust.study import __main__ as study
from attnclust.study import views_drawn
from attnclust.study.photographs import fit, open_photographs
from attnclust.study.settings import identity
from tests.study.conftest import SMALL, small
from tests.study.test_views import scene, subject

QUICK = ["--model", SMALL, "--random-weights", "--conditions", "clean", "--limit", "1"]
SIZE, GRID = (160, 160), (10, 10)


@pytest.fixture
def four(tmp_path: Path) -> list[Path]:
    """Four plain colours in four kinds of file."""
    files = []
    for name, mode, colour in (
        ("red.jpg", "CMYK", (0, 255, 255, 0)),
        ("grey.png", "L", 77),
        ("clear.png", "RGBA", (0, 0, 255, 255)),
        ("deep.png", "I;16", 200 * 257),
    ):
        file = tmp_path / name
        Image.new(mode, (60, 40), colour).save(file)
        files.append(file)
    return files


def test_four_joined_into_one(four: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    assert study.main([*QUICK, "--image", *map(str, four), "--mosaic", "--output", str(out)]) == 0
    name = "mosaic of red.jpg, grey.png, clear.png, deep.png"
    inputs = {r["image"]: r for r in read_table(out, "pictures").to_pylist() if r["kind"] == "input"}
    assert len(inputs) == 2
    pixels = np.frombuffer(inputs[name]["data"], np.uint8).reshape(160, 160, 3).astype(int)
    for (top, left), colour in zip(
        ((0, 0), (0, 80), (80, 0), (80, 80)),
        ((255, 0, 0), (77, 77, 77), (0, 0, 255), (200, 200, 200)),
        strict=True,
    ):
        quarter = pixels[top : top + 80, left : left + 80]
        assert np.abs(quarter - colour).max() <= 6, (top, left)
    views = [row for row in read_table(out, "views").to_pylist() if row["image"] == name]
    tokens = {row["role"]: row["token"] for row in views}
    # The middle patch of each quarter of 5 x 5, behind the class token.
    assert tokens == {
        "class token": 0,
        "picture 1: red.jpg": 1 + 22,
        "picture 2: grey.png": 1 + 27,
        "picture 3: clear.png": 1 + 72,
        "picture 4: deep.png": 1 + 77,
    }
    # Without --mosaic it is another study.
    assert study.main([*QUICK, "--image", *map(str, four), "--output", str(out)]) == 2
    assert "another study" in capsys.readouterr().err


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_mosaic_takes_four(
    four: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
):
    given = ["--image", *map(str, four[:count])] if count else []
    assert study.main([*QUICK, *given, "--mosaic", "--output", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert f"--mosaic: joins 4 pictures into one; got {count} after --image" in message
    assert not (tmp_path / "out").exists()


def test_the_joined_picture_is_that_of_the_data_room(four: list[Path]):
    pictures = open_photographs(small(images=tuple(four), mosaic=True))
    (joined,) = fit(pictures, size=SIZE, grid=GRID, join=True)
    np.testing.assert_array_equal(joined.pixels, mosaic([p.image for p in pictures], SIZE))
    apart = fit(pictures, size=SIZE, grid=GRID, join=False)
    assert [photograph.name for photograph in apart] == [file.name for file in four]
    assert {photograph.pixels.shape for photograph in apart} == {(160, 160, 3)}


@pytest.mark.parametrize("shape", [(15, 40), (40, 15), (1, 1)])
def test_a_picture_smaller_than_a_patch_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: tuple[int, int]
):
    file = tmp_path / "tiny.png"
    Image.new("RGB", shape).save(file)
    assert study.main([*QUICK, "--image", str(file), "--output", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert "--image: must hold a patch of the model, 16 x 16 pixels (height x width)" in message
    assert f"tiny.png of {shape[1]} x {shape[0]}" in message
    assert not (tmp_path / "out").exists(), "refused before anything is written"


def test_a_picture_of_one_patch_is_enough(tmp_path: Path):
    Image.new("RGB", (16, 16)).save(tmp_path / "small.png")
    pictures = open_photographs(small(images=(tmp_path / "small.png",)))
    assert fit(pictures, size=SIZE, grid=GRID, join=False)[0].pixels.shape == (160, 160, 3)


def test_a_turned_picture_is_turned_back(tmp_path: Path):
    tall = np.zeros((60, 30, 3), np.uint8)
    tall[:30] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(tall))).save(tmp_path / "turned.png", exif=exif)
    (photograph,) = fit(
        open_photographs(small(images=(tmp_path / "turned.png",))), size=SIZE, grid=GRID, join=False
    )
    assert photograph.pixels[:70].min() > 250
    assert photograph.pixels[90:].max() < 5


def test_a_patch_embedding_that_is_no_convolution_draws_nothing_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """The rest of the study is measured all the same."""
    who = subject()
    who.loaded.model.patch_embed.norm = torch.nn.LayerNorm(who.loaded.model.embed_dim)
    assert views_drawn.drawn_rows(who, scene(), []) == {"pictures": [], "views": []}
    assert "its patch embedding must be one plain convolution" in caplog.text
    assert "LayerNorm" in caplog.text


def test_mosaic_is_part_of_the_identity(four: list[Path]):
    loaded = open_model(SMALL, random_weights=True)
    plain, joined = (identity(small(images=tuple(four), mosaic=m), loaded, []) for m in (False, True))
    assert plain != joined


def test_a_folder_is_no_picture(tmp_path: Path):
    with pytest.raises(ArgumentError, match="picture that Pillow can read"):
        open_photographs(small(images=(tmp_path,)))
