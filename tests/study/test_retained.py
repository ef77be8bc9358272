"""What views retain of the objects when patches are dropped: by hand, and from a model by its definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from attnclust.data import Selection, make_scenes
from attnclust.models import open_model
from attnclust.study.prepare import View, to_input, views_of
from attnclust.study.subject import Subject
from attnclust.study.views import _retained, _Traced, readout, view_rows
from attnclust.vit import trace
from tests.study.conftest import SMALL


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([0.0, 0.125, 0.25, 0.25, 0.375], 0.375),  # half of what patch 1 had moves to the background
        ([0.0, 0.5, 0.25, 0.25, 0.0], 0.5),  # more moves into patch 1 than it had: no more is retained
        ([0.0, 0.375, 0.125, 0.25, 0.25], 0.375),  # in at patch 1, out of patch 2: no gain makes good a loss
        ([0.5, 0.125, 0.125, 0.125, 0.125], 0.25),  # patch 0 was dropped, and shows no object
    ],
)
def test_what_moves_into_an_object_is_not_retained_and_what_moves_out_is_lost(
    after: list[float], expected: float
):
    pixels = np.arange(1, 16, dtype=np.uint8).reshape(1, 5, 3)
    chosen = Selection({1: np.array([0, 1]), 2: np.array([2])}, {1: "cat", 2: "dog"}, 0, None)
    clean = View("a", "clean", pixels, np.zeros((1, 5), np.uint8), chosen)
    black = pixels * (np.arange(5) > 0).astype(np.uint8)[None, :, None]
    seen = _Traced(replace(clean, condition="random-0.2", pixels=black), np.zeros((1, 5, 1)), [], 0, (1, 5))
    before = np.array([[0.125, 0.25, 0.25, 0.25, 0.125]])  # 0.625 on objects
    assert _retained(clean, seen, before, np.array([after])) == pytest.approx([expected / 0.625])


def test_level_by_level_of_patches_that_lie_on_an_object_and_were_not_touched():
    """Three levels of 2 x 3 patches of 2 x 3 pixels, with a row and two columns of pixels left over."""
    pixels = np.full((5, 11, 3), 100, np.uint8)
    chosen = Selection({1: np.array([0, 1]), 2: np.array([3, 5])}, {1: "cat", 2: "dog"}, 0, None)
    clean = View("a", "clean", pixels, np.zeros((5, 11), np.uint8), chosen)
    dropped = pixels.copy()
    dropped[1, 4, 1] = 101  # patch 1, in one pixel and one channel: brighter
    dropped[2, 8, 1] = 99  # patch 5: darker
    dropped[4, 1] = dropped[1, 10] = 0  # of no patch
    # What is left of the objects passes no selection of its own: it is clean's objects that count.
    fewer = Selection({2: np.array([2])}, {2: "dog"}, 0, "one object")
    view = replace(clean, condition="random-0.2", pixels=dropped, selection=fewer)
    seen = _Traced(view, np.zeros((3, 6, 1)), [], 0, (2, 3))
    before = np.array([[8, 4, 4, 2, 6, 8], [1, 9, 2, 7, 10, 3], [16, 1, 1, 4, 8, 2]]) / 32
    after = np.array([[6, 5, 4, 12, 4, 1], [3, 9, 8, 5, 4, 3], [20, 1, 1, 3, 6, 1]]) / 32
    # On objects the clean views have 22, 20 and 23; patches 0 and 3 still show 6 + 2, 1 + 5 and 16 + 3.
    expected = [8 / 22, 6 / 20, 19 / 23]
    assert _retained(clean, seen, before, after) == pytest.approx(expected, rel=1e-12)
    # The other way round they have 24, 20 and 25 to begin with.
    expected = [8 / 24, 6 / 20, 19 / 25]
    assert _retained(clean, seen, after, before) == pytest.approx(expected, rel=1e-12)


def test_the_readout_is_the_class_tokens_row_or_else_the_mean_of_all():
    weights = np.arange(24.0).reshape(2, 4, 3)
    for prefix in (1, 2):
        assert readout(weights, prefix).tolist() == [[0, 1, 2], [12, 13, 14]]
    assert readout(weights, 0).tolist() == [[4.5, 5.5, 6.5], [16.5, 17.5, 18.5]]


def class_views(who: Subject, view: View, *, residual: bool) -> np.ndarray:
    """The class token's view at levels 1 on, (levels, patches), rows summing to 1: a product of matrices."""
    seen = trace(who.loaded.model, to_input([view.pixels], who.loaded, who.device))
    assert seen.attention is not None
    product, found = np.eye(101), []
    for maps in seen.attention:
        step = maps[0].double().numpy() + (np.eye(101) if residual else 0)
        product = step / step.sum(axis=1, keepdims=True) @ product
        found.append(product[0, 1:] / product[0, 1:].sum())
    return np.stack(found)


def test_of_each_image_with_its_own_clean_view_in_either_form():
    who = Subject("model", open_model(SMALL, random_weights=True, seed=0), torch.device("cpu"))
    # Larger weights, so that attention differs from token to token and from picture to picture.
    for block in who.loaded.model.blocks:
        torch.nn.init.normal_(block.attn.qkv.weight, std=0.3, generator=torch.Generator().manual_seed(1))
    views = [
        view
        for sample in make_scenes(2, seed=0)
        for view in views_of(sample, ["clean", "random-0.4"], size=(160, 160), grid=(10, 10), seed=0)
    ]
    rows = view_rows(who, views)["measurements"]
    for clean, dropped in (views[:2], views[2:]):
        patches = [picture.pixels.reshape(10, 16, 10, 16, 3).swapaxes(1, 2) for picture in (clean, dropped)]
        objects = {int(p) for found in clean.selection.objects.values() for p in found}
        shown = [p for p in objects if (patches[0][divmod(p, 10)] == patches[1][divmod(p, 10)]).all()]
        assert 0 < len(shown) < len(objects)
        for suffix, residual in (("", False), ("_residual", True)):
            before, after = (class_views(who, view, residual=residual) for view in (clean, dropped))
            expected = [
                sum(min(b[p], a[p]) for p in shown) / sum(b[p] for p in objects)
                for b, a in zip(before, after, strict=True)
            ]
            found = [
                row["value"]
                for row in rows
                if (row["image"], row["condition"]) == (clean.image, "random-0.4")
                and row["metric"] == f"view_retained{suffix}"
            ]
            assert np.isnan(found[0])  # the class token has no view at level 0
            assert found[1:] == pytest.approx(expected, rel=1e-4)
