"""Protocols, controls, common images and agreement: against their definitions, from the tables themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from attnclust.clustering import PROTOCOLS, measure_level
from attnclust.data import make_scenes, select_objects, squash
from attnclust.models import open_model
from attnclust.records import PIXELS, POSITIONS, TABLES, read_results, read_table, to_table
from attnclust.study.comparisons import comparisons
from attnclust.study.controls import patch_pixels, position_tokens
from attnclust.study.subject import Subject
from tests.study.conftest import SMALL


def test_all_three_protocols_are_measured_on_the_clean_images(finished: Path):
    rows = read_table(finished, "protocols").to_pylist()
    assert {row["protocol"] for row in rows} == set(PROTOCOLS)
    images = {p: {row["image"] for row in rows if row["protocol"] == p} for p in PROTOCOLS}
    assert images["official"] == images["paper"] == images["blind"]
    assert len(images["official"]) == 3
    # The study's own protocol has the same numbers in both tables.
    own = {(r["image"], r["level"], r["metric"]): r["value"] for r in rows if r["protocol"] == "official"}
    for row in read_table(finished, "measurements").to_pylist():
        key = (row["image"], row["level"], row["metric"])
        if row["subject"] == "model" and row["condition"] == "clean" and key in own:
            assert row["value"] == own.pop(key)
    assert not own


def test_differences_are_paired_means_over_levels(finished: Path):
    rows = read_table(finished, "protocols").to_pylist()

    def mean_of(image: str, protocol: str, metric: str) -> float:
        found = [
            row["value"]
            for row in rows
            if (row["image"], row["protocol"], row["metric"]) == (image, protocol, metric)
        ]
        assert len(found) == 7
        return float(np.mean(found))

    images = sorted({row["image"] for row in rows})
    differences = read_results(finished)["protocols"]["differences"]
    one = next(
        d for d in differences if d["metric"] == "unique_label_ratio" and "objects + 1" in d["difference"]
    )
    each = [
        mean_of(i, "paper", "unique_label_ratio") - mean_of(i, "paper", "unique_label_ratio_appendix")
        for i in images
    ]
    assert one["mean"] == pytest.approx(np.mean(each))
    assert one["after"] - one["before"] == pytest.approx(one["mean"])
    assert one["ci_low"] <= one["mean"] <= one["ci_high"]
    assert one["n"] == 3
    assert {d["metric"] for d in differences} >= {"purity", "silhouette", "unique_label_ratio", "noise_share"}


def test_controls_are_metrics_of_pixels_and_of_position_embeddings(finished: Path):
    scene = make_scenes(1, seed=0)[0]
    opened = open_model(SMALL, random_weights=True, seed=0)
    shrunk = squash(scene, opened.size[0])
    chosen = select_objects(shrunk.instances, scene.classes, grid=10)
    image = torch.from_numpy(shrunk.image).permute(2, 0, 1)[None].double() / 255
    # torch's own cutting; channels come first in it, which no distance sees.
    pixels = torch.nn.functional.unfold(image, 16, stride=16)[0].T.numpy()
    table = opened.model.pos_embed[0].detach()
    positions = table[-100:].double().numpy()
    found = {
        (row["subject"], row["metric"]): row["value"]
        for row in read_table(finished, "measurements").to_pylist()
        if row["image"] == scene.name
        and row["condition"] == "clean"
        and row["subject"] in (PIXELS, POSITIONS)
    }
    for subject, tokens in ((PIXELS, pixels), (POSITIONS, positions)):
        for metric, value in measure_level(tokens, chosen.objects, chosen.class_names).items():
            assert found[subject, metric] == pytest.approx(value, abs=1e-4), (subject, metric)
    results = read_results(finished)
    assert set(results["controls"]) == {PIXELS, POSITIONS}
    assert len(results["controls"][PIXELS]["shuffle-2"]["purity"]["mean"]) == 1


def test_positions_are_the_models_own():
    opened = open_model("deit_tiny_patch16_224", random_weights=True, seed=0)
    found = position_tokens(Subject("model", opened, torch.device("cpu")))
    torch.testing.assert_close(found, opened.model.pos_embed[0, 1:].detach(), atol=1e-6, rtol=0)


def test_patches_of_a_grid_that_leaves_pixels_over():
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    cut = patch_pixels(pixels, (2, 3))
    assert cut.shape == (6, 2 * 2 * 3)
    np.testing.assert_array_equal(cut[4].reshape(2, 2, 3) * 255, pixels[2:4, 2:4])


def planted() -> dict:
    """Two images survive clean, one of them all of random drop, another image only random-0.4."""
    there = {"clean": "ab", "random-0.4": "abc", "random-0.8": "a", "noise-1.0": "b"}
    tables = {name: TABLES[name].empty_table() for name in ("protocols", "notes")}
    tables["measurements"] = to_table(
        "measurements",
        [
            {
                "subject": "model",
                "image": image,
                "condition": c,
                "level": level,
                "metric": "purity",
                "value": value,
            }
            for c, images in there.items()
            for image in images
            for level in (0, 1)
            for value in [{"a": 0.25, "b": 0.5, "c": 1.0}[image]]
        ],
    )
    classes = {"clean": {"a": 1, "b": 2}, "random-0.4": {"a": 1, "b": 3, "c": 1}, "random-0.8": {"a": 4}}
    tables["predictions"] = to_table(
        "predictions",
        [
            {"subject": "model", "image": image, "condition": c, "top1": top1, "score": 0.5}
            for c, seen in classes.items()
            for image, top1 in seen.items()
        ],
    )
    return comparisons(tables, ["model"], seed=0)


def test_common_images_are_those_of_every_condition_of_a_family():
    common = planted()["common"]
    assert common["random"]["conditions"] == ["clean", "random-0.4", "random-0.8"]
    assert common["random"]["n"] == 1
    assert common["random"]["metrics"]["random-0.4"]["purity"]["mean"].tolist() == [0.25, 0.25]
    assert common["noise"]["metrics"]["clean"]["purity"]["mean"].tolist() == [0.5, 0.5]
    assert common["all"] == {
        "conditions": ["clean", "random-0.4", "random-0.8", "noise-1.0"],
        "n": 0,
        "metrics": {},
    }


def test_agreement_is_with_the_clean_class_of_the_same_image():
    agreement = planted()["agreement"]["model"]
    assert agreement["random-0.4"]["mean"] == 0.5
    assert agreement["random-0.4"]["n"] == 2
    assert agreement["random-0.8"]["mean"] == 0
    assert "clean" not in agreement
