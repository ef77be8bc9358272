"""The section on neurons: its pictures against the records, its sentences against planted numbers."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from attnclust.plots import diverging_colours
from attnclust.records import to_table, write_table
from attnclust.report import build_page

from .conftest import FILTERS, GRID, LEVELS, PATCH, curve, view_tables
from .reading import Page

Study = Callable[..., Path]


def decoded(page: Page, alt: str) -> np.ndarray:
    (source,) = {a["src"] for a in page.all("img") if a["alt"] == alt}
    return opened(source)


def opened(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("RGB"))


def array(row: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(row["data"], row["dtype"]).reshape(row["shape"]).astype(float)


def picture(kind: str, condition: str = "") -> np.ndarray:
    (found,) = [r for r in view_tables()[0] if (r["kind"], r["condition"]) == (kind, condition)]
    return array(found)


def column(neuron: int, *, raw: bool = False) -> np.ndarray:
    """The filter times every patch, pixel by pixel, summed over channels."""
    pixels = picture("input", "clean") / 255
    if not raw:
        pixels = (pixels - picture("mean")) / picture("std")
    filters = picture("filters")
    height, width, _ = pixels.shape
    out = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            out[y, x] = pixels[y, x] @ filters[neuron, :, y % PATCH, x % PATCH]
    return out


def weights(role: str, level: int, form: str = "attention") -> np.ndarray:
    (row,) = [
        r
        for r in view_tables()[1]
        if (r["condition"], r["form"], r["role"], r["level"]) == ("clean", form, role, level)
    ]
    return np.kron(np.reshape(row["weights"], GRID), np.ones((PATCH, PATCH))) * GRID[0] * GRID[1]


def shown(values: np.ndarray, scale: float) -> np.ndarray:
    """The colours of a signed picture, in 31 steps of the palette."""
    steps = np.round(15 * (1 + np.clip(values / scale, -1, 1))).astype(int)
    return diverging_colours()[np.linspace(0, 254, 31).astype(int)][steps]


def test_the_most_selective_filter_is_drawn(whole: Path) -> None:
    section = Page(whole / "index.html").section("neurons")
    # Filter 4 is at 0.9 for every object, whatever its sign; filter 1 reaches 0.5 for cats alone.
    assert "neuron 4" in section
    assert "4 (0.90)" in section
    assert "1 (0.53)" in section
    assert "Over 3 objects of 2 object types, 1 of 7 filters answer to two types or more" in section
    assert "1 to one, 5 to none" in section


def test_views_are_the_column_times_the_rollout(whole: Path) -> None:
    page = Page(whole / "index.html")
    views = {}
    for role in ("dog", "background", "dog, another patch"):
        for level in (1, 4, 8, 12):
            views[role, level] = column(4) * weights(role, level)
        # At level 0 the one patch stands as in the column.
        views[role, 0] = column(4) * weights(role, 0) / (GRID[0] * GRID[1])
    for level in (1, 4, 8, 12):
        views["class token", level] = column(4) * weights("class token", level)
    scale = float(np.quantile(np.abs(np.stack(list(views.values()))), 0.98))
    numbers = {"background": 2, "dog": 9, "dog, another patch": 12}
    for (role, level), view in views.items():
        head = role if role == "class token" else f"{role} ({numbers[role]})"
        alt = f"scene-3: view of {head} at level {level} through neuron 4"
        # Attention alone comes first, then the same with the residual path.
        first, _ = [a["src"] for a in page.all("img") if a["alt"] == alt]
        np.testing.assert_array_equal(opened(first), shown(view, scale))


def test_all_views_of_a_patch_and_their_overlays(whole: Path) -> None:
    page = Page(whole / "index.html")
    # The patch of token 9, the first that is not background, behind one prefix token: patch 8.
    assert "patch 8 of scene-3" in page.section("neurons")
    sheet = decoded(page, "The 7 level-0 views of patch 8, one a filter, row by row from filter 0")
    across = round((2 * FILTERS) ** 0.5)
    assert sheet.shape == (2 * (PATCH + 1) - 1, across * (PATCH + 1) - 1, 3)
    row, col = divmod(8, GRID[1])
    pixels = ((picture("input", "clean") / 255 - picture("mean")) / picture("std")).transpose(2, 0, 1)
    patch = pixels[:, row * PATCH : (row + 1) * PATCH, col * PATCH : (col + 1) * PATCH]
    stack = picture("filters") * patch
    for name, over in (("sum", stack.sum(0)), ("max", stack.max(0)), ("l2", np.sqrt((stack**2).sum(0)))):
        found = decoded(page, f"All views of patch 8 overlaid by {name}")
        expected = np.round(127.5 * (1 + over / np.abs(over).max())).astype(np.uint8).transpose(1, 2, 0)
        np.testing.assert_array_equal(found, expected)


def test_dropped_patches_have_a_sheet_of_their_own(whole: Path) -> None:
    page = Page(whole / "index.html")
    alts = [a["alt"] for a in page.all("img")]
    for condition in ("clean", "random-0.4"):
        assert alts.count(f"The image scene-3, {condition}") == 2
        assert alts.count(f"scene-3: view of {condition} at level 12 through neuron 4") == 2
    assert {"drops-attention.png", "drops-residual.png"} <= {p.name for p in (whole / "figures").iterdir()}


def test_without_drops_photographs_or_filters_their_parts_are_absent(study: Study) -> None:
    folder = study(tables=())
    pictures, views = view_tables()
    clean = [row for row in views if row["condition"] == "clean"]
    write_table(folder, "pictures", to_table("pictures", pictures))
    write_table(folder, "views", to_table("views", clean))
    section = Page(build_page(folder)).section("neurons")
    for heading in (
        "What is left when",
        "Filters across",
        "Your pictures",
        "Are views faithful",
        "in numbers",
    ):
        assert heading not in section
    assert "All neurons of one patch" in section


def test_the_users_own_pictures_come_first_and_last(study: Study) -> None:
    folder = study()
    pictures, views = view_tables()
    own_pictures, own_views = view_tables("my cat.jpg", "middle patch")
    pictures += [row for row in own_pictures if row["kind"] == "input" and row["condition"] == "clean"]
    views += [row for row in own_views if row["condition"] == "clean"]
    write_table(folder, "pictures", to_table("pictures", pictures))
    write_table(folder, "views", to_table("views", views))
    page = Page(build_page(folder))
    section = page.section("neurons")
    assert "From pixels to a view, on your own image: my cat.jpg, neuron 4" in section
    assert "Your pictures" in section
    alts = [a["alt"] for a in page.all("img")]
    assert alts.count("my cat.jpg: view of middle patch (9) at level 12 through neuron 4") == 2


def plant(**scores: tuple[float, float]) -> Callable[[dict[str, Any]], None]:
    def change(summary: dict[str, Any]) -> None:
        clean = summary["metrics"]["clean"]
        for name, (first, last) in scores.items():
            clean[f"faithfulness_{name}"] = curve(first, last, 12)
        clean["view_lift_class"] = curve(0.0, 0.1, 31)
        clean["view_sum_gap"] = {
            name: [3e-8] + [None] * (LEVELS - 1) for name in ("mean", "ci_low", "ci_high")
        } | {"n": 31}

    return change


@pytest.mark.parametrize(
    ("rollout", "words"),
    [
        ((0.9, 0.9), "Views, attention alone, predict better than random weights at every level."),
        ((0.0, 0.0), "Views, attention alone, are not faithful: at no level better than random weights."),
        (
            (1.3, 0.1),
            "better than random weights at levels 1 to 11 alone; at the others they are not faithful",
        ),
    ],
)
def test_the_page_says_plainly_whether_views_are_faithful(
    study: Study, rollout: tuple[float, float], words: str
) -> None:
    # Intervals are 0.04 to each side.
    change = plant(
        rollout=rollout, residual=(0.5, 0.5), random=(0.1, 0.1), attention=(0.5, 0.5), uniform=(0, 0)
    )
    section = Page(build_page(study(change))).section("neurons")
    assert words in section
    assert "they are better at no level, worse at no level" in section  # with the residual path
    assert "n = 12 images" in section
    assert "only one in three is masked: 12 of 31 here; conditions other than clean are left out" in section
    assert "Checked on 31 images, all patches and neurons: the sum of a level-0 view, plus bias" in section
