"""The section of pictures: one figure a picture, its settings told, marked as illustration."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attnclust.plots import Cloud, draw_embedding
from attnclust.records import to_table, write_table
from attnclust.report import build_page

from .conftest import lighten, write_study
from .reading import Page

ROWS, COLUMNS = 5, 7


def tables(
    names: tuple[str, ...] = ("clean", "mosaic", "random-0.8"), *, label: str = "cat", attention: bool = True
) -> dict[str, list[dict[str, Any]]]:
    rng = np.random.default_rng(2)
    stream = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (50, 70, 3), dtype=np.uint8)).save(stream, "JPEG")
    inputs = [
        {"picture": name, "image": f"scene of {name}", "grid": [ROWS, COLUMNS], "jpeg": stream.getvalue()}
        for name in names
    ]
    points = [
        {
            "picture": name,
            "image": f"scene of {name}",
            "level": level,
            "patch": patch,
            "x": float(rng.normal()),
            "y": float(rng.normal()),
            "object": (patch < 8) + 3 * (patch > 30),
            "name": label if patch < 8 else "dog" if patch > 30 else "background",
            "attention": rng.uniform() if attention else None,
            "perplexity": 11.0,
            "iterations": 1000,
            "seed": 41,
            "kl_divergence": 0.375 + level,
        }
        for name in names
        for level in (1, 7, 12)
        for patch in rng.permutation(ROWS * COLUMNS).tolist()
    ]
    return {"embedding": points, "embedding_pictures": inputs}


def page(folder: Path, **options: Any) -> Page:
    write_study(folder, lighten, tables=())
    for name, rows in tables(**options).items():
        write_table(folder, name, to_table(name, rows))
    return Page(build_page(folder))


def test_every_picture_has_its_figure_settings_and_warning(tmp_path: Path):
    read = page(tmp_path)
    text = read.section("pictures")
    assert "Illustration, not evidence." in text
    assert "perplexity 11, 1,000 iterations" in text
    assert "seed 41" in text
    for name in ("clean", "mosaic", "random-0_8"):
        assert (tmp_path / "figures" / f"embedding-{name}.svg").is_file()
    for words in (
        "Image scene of random-0.8: 35 patches, 8 of cat, 4 of dog. As in the paper’s figure 11.",
        "As in the paper’s figure 6b.",
        "7 35 11 1000 41 7.38",  # block, tokens, perplexity, iterations, seed, KL divergence
    ):
        assert words in text
    assert "class token’s attention" in text
    assert {"href": "#pictures"} in read.all("a")


def test_without_a_class_token_nothing_is_said_of_attention(tmp_path: Path):
    assert "attention" not in page(tmp_path, attention=False).section("pictures")


def test_names_from_the_data_stay_text(tmp_path: Path):
    name = "<script>alert(1)</script> & $x$"
    read = page(tmp_path, label=name, names=("clean",))
    assert name in read.section("pictures")
    assert "<script>alert" not in read.source
    assert "<script>alert" not in (tmp_path / "figures" / "embedding-clean.svg").read_text("utf-8")


def test_without_records_there_is_no_section(whole: Path):
    read = Page(whole / "index.html")
    assert not read.section("pictures")
    assert {"href": "#pictures"} not in read.all("a")


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels = np.zeros((ROWS, COLUMNS), int)
    labels[1, :3], labels[3, 2:] = 1, 2
    points = np.random.default_rng(0).normal(size=(ROWS * COLUMNS, 2))
    return np.full((50, 70, 3), 255, np.uint8), labels, points


def test_every_patch_is_one_point_heavier_ones_larger(drawn: tuple[np.ndarray, ...]):
    picture, labels, points = drawn
    weights = np.linspace(0, 1, points.shape[0])
    figure = draw_embedding(picture, labels, ["cat", "dog"], [Cloud("block 1", points, weights)])
    drawn_at = [(line, np.asarray(line.get_xydata())) for line in figure.axes[1].lines]
    assert sum(len(places) for _, places in drawn_at) == len(points)
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    half = np.ptp(points, axis=0).max() / 2
    sizes: dict[float, list[float]] = {}
    for point, weight in zip((points - centre) / half, weights.tolist(), strict=True):
        (line,) = [line for line, places in drawn_at if np.isclose(places, point).all(axis=1).any()]
        sizes.setdefault(line.get_markersize(), []).append(weight)
    ordered = [sizes[size] for size in sorted(sizes)]
    assert len(ordered) == 5
    assert all(max(lighter) < min(heavier) for lighter, heavier in pairwise(ordered))


def test_labelled_patches_are_tinted_and_others_are_not(drawn: tuple[np.ndarray, ...]):
    picture, labels, points = drawn
    figure = draw_embedding(picture, labels, ["cat", "dog"], [Cloud("block 1", points)])
    shown = np.asarray(figure.axes[0].images[0].get_array())
    side = shown.shape[0] // ROWS
    patches = shown.reshape(ROWS, side, COLUMNS, side, 3).mean(axis=(1, 3))
    assert (patches[labels == 0] == 255).all()
    cat, dog = (np.unique(patches[labels == number], axis=0) for number in (1, 2))
    assert len(cat) == len(dog) == 1
    assert np.abs(cat - dog).max() > 50
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["cat", "dog", "background"]


def test_many_objects_differ_in_colour_or_marker(drawn: tuple[np.ndarray, ...]):
    picture, _, points = drawn
    labels = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS) % 13
    figure = draw_embedding(picture, labels, [str(n) for n in range(1, 13)], [Cloud("block 1", points)])
    looks = {(line.get_color(), line.get_marker()) for line in figure.axes[1].lines}
    assert len(looks) == 13
