"""A really trained model on real images: the theorem holds, and what it can certify."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from attnclust.records import read_results
from attnclust.study import Settings, run_study


@pytest.fixture(scope="module")
def results(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    settings = Settings(
        model="deit_tiny_patch16_224",
        checkpoint=real_data / "weights" / "deit_tiny_patch16_224.safetensors",
        data=str(real_data / "VOCdevkit" / "VOC2007"),
        conditions=("clean",),
        limit=4,
    )
    return read_results(run_study(settings, output=tmp_path_factory.mktemp("real") / "out"))


def test_no_theorem_is_violated(results: dict):
    for part in (results, results["random_twin"]):
        for steps in part["layers"]["steps"].values():
            assert set(steps["violations"].values()) == {0}
            assert steps["n"] > 100


def test_clusters_shrink_and_the_papers_bounds_never_say_so(results: dict):
    steps = results["layers"]["steps"]["per_head"]
    assert min(steps["shrinks"]) > 0.95
    assert set(steps["certified"]["paper_main"]) == set(steps["certified"]["paper_appendix"]) == {0.0}
    assert max(steps["certified"]["sharp"]) > 0
    assert steps["certified"]["cluster_dobrushin"][-1] == 1.0


def test_knowing_more_certifies_more(results: dict):
    for steps in results["layers"]["steps"].values():
        shares = [steps["certified"][rung] for rung in ("sharp", "overlap", "cluster_dobrushin")]
        for less, more in pairwise(shares):
            assert all(a <= b for a, b in zip(less, more, strict=True))


def test_training_makes_objects_nearer_than_chance(results: dict):
    trained = results["metrics"]["clean"]["nearest_same_object"]["mean"]
    untrained = results["random_twin"]["metrics"]["clean"]["nearest_same_object"]["mean"]
    assert max(trained) > max(untrained)
