"""What a study measures of views, against the same worked out another way; and what it draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import r2_score, roc_auc_score

from attnclust.data import LabelledImage, make_scenes
from attnclust.models import LoadedModel, open_model
from attnclust.neurons import neuron_view
from attnclust.records import read_results, read_table
from attnclust.study import run_study, views_faithful
from attnclust.study.prepare import View, to_input, views_of
from attnclust.study.subject import Subject
from attnclust.study.views import (
    RIDGE,
    _energy,
    _kernel,
    position_r2,
    shares,
    view_rows,
)
from attnclust.study.views_faithful import faithfulness_rows
from attnclust.vit import trace
from tests.study.conftest import SMALL, small

LEVELS = 7  # of the small model, level 0 included


def subject(model: LoadedModel | None = None) -> Subject:
    return Subject("model", model or open_model(SMALL, random_weights=True, seed=0), torch.device("cpu"))


def scene(*conditions: str) -> list[View]:
    found: LabelledImage = make_scenes(1, seed=0)[0]
    return views_of(found, ["clean", *conditions], size=(160, 160), grid=(10, 10), seed=0)


def curves(rows: list[dict], condition: str = "clean") -> dict[str, np.ndarray]:
    metrics = dict.fromkeys(row["metric"] for row in rows if row["condition"] == condition)
    return {
        metric: np.array(
            [row["value"] for row in rows if (row["metric"], row["condition"]) == (metric, condition)]
        )
        for metric in metrics
    }


@pytest.fixture(scope="module")
def measured() -> tuple[list[View], dict[str, list[dict]]]:
    views = scene("random-0.4", "salient-1.0", "non-salient-1.0", "shuffle-2", "noise-1.0")
    return views, view_rows(subject(), views)


def literal_rollout(residual: bool) -> np.ndarray:
    """(levels, tokens, patches), rows summing to 1, as a plain product of matrices."""
    who = subject()
    seen = trace(who.loaded.model, to_input([scene()[0].pixels], who.loaded, who.device))
    assert seen.attention is not None
    product, found = np.eye(101), []
    for maps in seen.attention:
        step = maps[0].double().numpy() + (np.eye(101) if residual else 0)
        product = step / step.sum(axis=1, keepdims=True) @ product
        found.append(product[:, 1:] / product[:, 1:].sum(axis=1, keepdims=True))
    return np.stack(found)


@pytest.mark.parametrize(("suffix", "residual"), [("", False), ("_residual", True)])
def test_shares_of_views_on_objects(measured, suffix: str, residual: bool):
    (clean, *_), rows = measured
    found = curves(rows["measurements"])
    rolled = literal_rollout(residual)
    objects = np.zeros(100, bool)
    objects[np.concatenate(list(clean.selection.objects.values()))] = True
    share = rolled[:, :, objects].sum(axis=2) - objects.mean()
    expected = {
        "class": share[:, 0],
        "foreground": share[:, 1:][:, objects].mean(axis=1),
        "background": share[:, 1:][:, ~objects].mean(axis=1),
    }
    for who, values in expected.items():
        np.testing.assert_allclose(found[f"view_lift_{who}{suffix}"][1:], values, atol=1e-9)
    at_zero = [found[f"view_lift_{who}{suffix}"][0] for who in expected]
    assert np.isnan(at_zero[0])  # the class token has no view there
    assert at_zero[1:] == pytest.approx([1 - objects.mean(), -objects.mean()])


def test_likeness_is_the_cosine_of_views_through_all_neurons():
    """Six patches, five filters: every picture made, every pair compared."""
    rng = np.random.default_rng(2)
    image, filters = (
        torch.from_numpy(rng.normal(size=(2, 8, 12))),
        torch.from_numpy(rng.normal(size=(5, 2, 4, 4))),
    )
    weights = rng.dirichlet(np.ones(6), size=(3, 7))  # three levels, a class token and six patches
    kernel = _kernel(weights[:, 1:], _energy(image, filters))
    for level in range(3):
        stacks = [
            np.concatenate(
                [
                    neuron_view(
                        image, filters, torch.from_numpy(weights), level=level + 1, token=1 + i, neuron=j
                    )
                    .numpy()
                    .ravel()
                    for j in range(5)
                ]
            )
            for i in range(6)
        ]
        np.testing.assert_allclose(kernel[level], np.array(stacks) @ np.array(stacks).T, rtol=1e-10)


def test_likeness_on_one_object_and_across(measured):
    (clean, *_), rows = measured
    found = curves(rows["measurements"])
    who = subject()
    image = to_input([clean.pixels], who.loaded, who.device)[0]
    filters = who.loaded.model.patch_embed.proj.weight.detach()
    for suffix, residual in (("", False), ("_residual", True)):
        rolled = literal_rollout(residual)[:, 1:]
        kernel = _kernel(rolled, _energy(image, filters))
        owner = {int(p): number for number, patches in clean.selection.objects.items() for p in patches}
        same, elsewhere = [], []
        for i in owner:
            for k in range(100):
                cosine = kernel[:, i, k] / np.sqrt(kernel[:, i, i] * kernel[:, k, k])
                if i != k:
                    (same if owner.get(k) == owner[i] else elsewhere).append(cosine)
        for name, pairs in (("same_object", same), ("elsewhere", elsewhere)):
            np.testing.assert_allclose(
                found[f"view_{name}_cosine{suffix}"][1:], np.mean(pairs, axis=0), rtol=1e-6
            )
            assert found[f"view_{name}_cosine{suffix}"][0] == 0  # no pixel in common


def test_what_is_retained_when_patches_are_dropped(measured):
    (clean, *others), rows = measured
    everything = {
        c: curves(rows["measurements"], c) for c in ("random-0.4", "salient-1.0", "non-salient-1.0")
    }
    for suffix in ("", "_residual"):
        kept = {c: found[f"view_retained{suffix}"] for c, found in everything.items()}
        assert all(np.isnan(values[0]) for values in kept.values())
        # All patches with more than 15 % of an object are gone, so all object patches are.
        assert (kept["salient-1.0"][1:] == 0).all()
        assert (kept["non-salient-1.0"][1:] > 0.5).all()
        objects = np.concatenate(list(clean.selection.objects.values()))
        dark = others[0].pixels.reshape(10, 16, 10, 16, 3).max(axis=(1, 3, 4)).ravel()[objects] == 0
        # With random weights attention hardly moves: what is kept is what was not dropped.
        np.testing.assert_allclose(kept["random-0.4"][1:], 1 - dark.mean(), atol=0.1)
    # Neither shuffled nor noisy patches are dropped ones.
    assert {row["condition"] for row in rows["measurements"]} == {"clean", *everything}


def test_position_is_the_r2_of_a_ridge_regression_fold_by_fold():
    rng = np.random.default_rng(9)
    rows, columns = np.divmod(np.arange(24), 6)
    places = np.stack([rows, columns], axis=1).astype(float)
    for signal in (0.0, 0.3, 3.0):
        features = rng.normal(size=(24, 10)) + signal * places @ rng.normal(size=(2, 10))
        kernel = features @ features.T
        length = np.trace(kernel) / 24
        centred = places - places.mean(axis=0)
        predicted = np.empty_like(places)
        for fold in range(5):
            out = (rows + 2 * columns) % 5 == fold
            ridge = KernelRidge(alpha=RIDGE * length, kernel="precomputed")
            ridge.fit((kernel + length)[np.ix_(~out, ~out)], centred[~out])
            predicted[out] = ridge.predict((kernel + length)[np.ix_(out, ~out)])
        expected = r2_score(centred, predicted)
        assert position_r2(kernel[None], (4, 6))[0] == pytest.approx(expected, abs=1e-8)
    assert position_r2(kernel[None], (4, 6))[0] > 0.9


def test_position_no_neighbours_share_a_fold_and_rounding_does_not_count():
    rows, columns = np.divmod(np.arange(14 * 14), 14)
    fold = (rows + 2 * columns) % 5
    grid = fold.reshape(14, 14)
    assert (grid[1:] != grid[:-1]).all()
    assert (grid[:, 1:] != grid[:, :-1]).all()
    # Views that have grown alike, but for a millionth that tells the place exactly.
    views = np.ones((196, 3)) + 1e-6 * np.stack([rows, columns, 0 * rows], axis=1)
    assert abs(position_r2((views @ views.T)[None], (14, 14))[0]) < 0.01


def test_selectivity_is_the_area_under_the_curve(measured):
    (clean, *_), rows = measured
    who = subject()
    image = to_input([clean.pixels], who.loaded, who.device)
    with torch.no_grad():
        neurons = who.loaded.model.patch_embed.proj(image)[0].flatten(1).numpy()
    objects = clean.selection.objects
    background = np.setdiff1d(np.arange(100), np.concatenate(list(objects.values())))
    assert [(row["object"], row["class"]) for row in rows["filters"]] == list(
        clean.selection.class_names.items()
    )
    for row in rows["filters"]:
        own = objects[row["object"]]
        truth = np.r_[np.ones(len(own)), np.zeros(len(background))]
        expected = [2 * roc_auc_score(truth, np.r_[n[own], n[background]]) - 1 for n in neurons]
        np.testing.assert_allclose(row["selectivity"], expected, atol=1e-6)


def test_sums_of_views_are_the_neurons_and_a_model_for_which_they_are_not(measured):
    _, rows = measured
    gap = curves(rows["measurements"])["view_sum_gap"]
    assert gap[0] < 1e-5
    assert np.isnan(gap[1:]).all()
    # A normalisation before the first block: level 0 is no longer filter times patch.
    opened = open_model(SMALL, random_weights=True, seed=0)
    opened.model.norm_pre = torch.nn.LayerNorm(opened.model.embed_dim)
    other = view_rows(subject(opened), scene())
    assert curves(other["measurements"])["view_sum_gap"][0] > 0.05


def test_shares_begin_with_each_patch_itself():
    maps = [np.full((5, 5), 0.2)] * 2
    found = shares(maps, 1, residual=False)
    np.testing.assert_array_equal(found[0, 1:], np.eye(4))
    assert np.isnan(found[0, 0]).all()
    np.testing.assert_allclose(found[1:], 0.25)


class TestFaithfulness:
    def test_of_a_model_whose_tokens_never_meet(self):
        """Every neuron owes all to its own patch: views with the residual path know it, others do not."""
        opened = open_model(SMALL, random_weights=True, seed=0)
        for block in opened.model.blocks:
            for layer in (block.attn.proj, block.mlp.fc2):
                torch.nn.init.zeros_(layer.weight)
                torch.nn.init.zeros_(layer.bias)
        found = curves(faithfulness_rows(subject(opened), scene())["measurements"])
        assert set(found) == {
            f"faithfulness_{name}" for name in ("rollout", "residual", "attention", "random", "uniform")
        }
        for name in ("rollout", "residual"):
            # At level 0 a view is its own patch; the class token has none.
            assert found[f"faithfulness_{name}"][0] == pytest.approx(1)
        assert np.isnan(found["faithfulness_attention"][0])
        assert found["faithfulness_residual"][1] > 0.9
        for name in ("rollout", "attention", "random", "uniform"):
            assert abs(found[f"faithfulness_{name}"][1]) < 0.5

    def test_of_a_model_that_averages_all_patches(self):
        """One block of uniform attention, no MLP: a neuron's change is what the masked patches held."""
        torch.manual_seed(0)
        options: dict[str, Any] = {"img_size": 160, "depth": 1, "embed_dim": 24, "num_heads": 1}
        model: Any = timm.create_model("vit_tiny_patch16_224", **options)
        block = model.blocks[0]
        block.norm1 = torch.nn.Identity()
        with torch.no_grad():
            block.attn.qkv.weight.zero_()
            block.attn.qkv.bias.zero_()
            block.attn.qkv.weight[48:] = torch.eye(24)
            block.attn.proj.weight.copy_(torch.eye(24))
            block.attn.proj.bias.zero_()
            block.mlp.fc2.weight.zero_()
            block.mlp.fc2.bias.zero_()
            # Filters and pixels of one sign: then |V| sums to |the neuron's change|.
            model.patch_embed.proj.weight.abs_()
        opened = LoadedModel(model.eval(), "m", "random", "", 0, (160, 160), (0.0,) * 3, (1.0,) * 3)
        found = curves(faithfulness_rows(subject(opened), scene())["measurements"])
        # The class token's change is exactly that; the patches' own residual adds to theirs.
        assert found["faithfulness_rollout"][1] > 0.25
        assert found["faithfulness_residual"][1] > 0.95
        # Uniform weights are the roll-out here.
        assert found["faithfulness_uniform"][1] == pytest.approx(found["faithfulness_rollout"][1], abs=1e-6)

    def test_every_patch_is_masked_once(self, monkeypatch: pytest.MonkeyPatch):
        given = []

        def listen(model, images, **options):
            given.append(images.clone())
            return stream(model, images, **options)

        stream = views_faithful.stream
        monkeypatch.setattr(views_faithful, "stream", listen)
        faithfulness_rows(subject(), scene())
        whole, masked = given
        assert masked.shape == (16, 3, 160, 160)
        changed = (masked != whole).any(dim=1).reshape(16, 10, 16, 10, 16)
        blocks = changed.any(dim=4).any(dim=2)
        assert (blocks.sum(dim=0) == 1).all()
        assert (masked[(masked != whole)] == 0).all()
        sizes = blocks.sum(dim=(1, 2))
        assert sizes.min() >= 4
        assert sizes.max() <= 9

    def test_the_same_twice(self):
        first, second = (faithfulness_rows(subject(), scene())["measurements"] for _ in range(2))
        np.testing.assert_equal(first, second)


def test_n_counts_the_images_that_have_a_number(finished: Path):
    clean = read_results(finished)["metrics"]["clean"]
    assert clean["purity"]["n"] == clean["view_lift_class"]["n"] == 3
    assert clean["faithfulness_rollout"]["n"] == 1  # one in three
    assert clean["view_lift_class"]["mean"][0] is None
    assert len(clean["view_lift_class"]["mean"]) == LEVELS
    assert None not in clean["view_lift_class"]["mean"][1:]


def test_claims_on_views_are_judged(finished: Path):
    claims = {claim["id"]: claim for claim in read_results(finished)["claims"]}
    for part in ("15.attention", "16.class.residual", "19.tokens", "20.many"):
        assert claims[part]["n"] == 3
    assert claims["17.random.attention"]["verdict"] == "not measured"  # no drop in this study


def test_what_is_drawn_multiplies_out_to_the_public_view(finished: Path):
    pictures = {(row["kind"], row["image"]): row for row in read_table(finished, "pictures").to_pylist()}

    def array(kind: str, image: str = "") -> np.ndarray:
        row = pictures[kind, image]
        return np.frombuffer(row["data"], row["dtype"]).reshape(row["shape"])

    opened = open_model(SMALL, random_weights=True, seed=0)
    rows = [row for row in read_table(finished, "views").to_pylist() if row["level"] == 4]
    (name,) = {row["image"] for row in rows}
    pixels = array("input", name).transpose(2, 0, 1) / 255
    image = (pixels - array("mean").reshape(3, 1, 1)) / array("std").reshape(3, 1, 1)
    filters = opened.model.patch_embed.proj.weight.detach().numpy().astype(float)
    np.testing.assert_allclose(array("filters"), filters, atol=1e-3 * np.abs(filters).max())
    for form in ("attention", "residual"):
        rolled = literal_rollout(form == "residual")
        for row in (row for row in rows if row["form"] == form):
            ours = np.array(row["weights"])
            np.testing.assert_allclose(ours / ours.sum(), rolled[3, row["token"]], atol=1e-6)
            given = np.zeros((LEVELS - 1, 101, 100))
            given[3, row["token"]] = ours
            view = neuron_view(image, filters, given, level=4, token=row["token"], neuron=5)
            by_patch = np.kron(np.reshape(ours, (10, 10)), np.ones((16, 16)))
            column = image * np.tile(array("filters")[5].astype(float), (1, 10, 10))
            np.testing.assert_allclose(by_patch * column, view, atol=2e-3 * np.abs(view).max())
    roles = [row["role"] for row in rows if row["form"] == "attention"]
    assert roles[:2] == ["class token", "background"]
    assert roles[2].startswith("object 1: ")
    assert roles[3] == f"{roles[2]}, another patch"
    masks = [key for key in pictures if key[0] == "mask"]
    assert len(masks) == 3


def test_drawn_drops_are_one_of_each_kind(tmp_path: Path):
    conditions = ("random-0.2", "random-0.6", "salient-0.8", "non-salient-1.0", "shuffle-2")
    folder = run_study(small(conditions=conditions, limit=1), output=tmp_path / "out")
    views = read_table(folder, "views").to_pylist()
    assert list(dict.fromkeys(row["condition"] for row in views)) == [
        "clean",
        "random-0.6",
        "salient-0.8",
        "non-salient-1.0",
    ]
    assert {row["role"] for row in views if row["condition"] != "clean"} == {"class token"}
