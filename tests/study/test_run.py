"""A study from end to end: its records, its repetition, its interruption, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from attnclust._array import ArgumentError
from attnclust.bounds import THEOREMS
from attnclust.clustering import measure_level
from attnclust.data import make_scenes, select_objects, squash
from attnclust.geometry import cluster_diameters, diameter
from attnclust.models import open_model
from attnclust.records import TABLES, read_results, read_table
from attnclust.study import run_study
from attnclust.study.measure import _diameters
from attnclust.vit import trace
from tests.study.conftest import SMALL, same, small

LEVELS = 7  # of the small model, level 0 included


def test_every_table_of_the_contract_is_written(finished: Path):
    assert {file.stem for file in finished.glob("*.parquet")} == set(TABLES)
    assert not (finished / "shards").exists()


def test_numbers_are_those_of_the_parts(finished: Path):
    """One scene, measured by hand from the public functions."""
    scene = make_scenes(1, seed=0)[0]
    opened = open_model(SMALL, random_weights=True, seed=0)
    size = opened.size[0]
    small_scene = squash(scene, size)
    pixels = torch.from_numpy(small_scene.image).permute(2, 0, 1)[None].float() / 255
    mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (opened.mean, opened.std))
    traced = trace(opened.model, (pixels - mean) / std)
    chosen = select_objects(small_scene.instances, scene.classes, grid=traced.grid)
    rows = read_table(finished, "measurements").to_pylist()
    here = {
        (row["level"], row["metric"]): row["value"]
        for row in rows
        if row["image"] == scene.name and row["condition"] == "clean" and row["subject"] == "model"
    }
    labels = np.full(traced.grid[0] * traced.grid[1], len(chosen.objects))
    for index, patches in enumerate(chosen.objects.values()):
        labels[patches] = index
    for level, tokens in enumerate(traced.levels):
        patches = tokens[0, traced.prefix_tokens :].double().numpy()
        expected = measure_level(patches, chosen.objects, chosen.class_names)
        for metric, value in expected.items():
            assert here[level, metric] == pytest.approx(value, abs=1e-4), (level, metric)
        raw = float(cluster_diameters(patches, labels).mean())
        whole = float(diameter(tokens[0].double().numpy()))
        assert here[level, "raw_diameter"] == pytest.approx(raw, rel=1e-4)
        assert here[level, "relative_diameter"] == pytest.approx(raw / whole, rel=1e-4)


def test_angular_diameter_is_the_widest_angle_in_degrees():
    angles = np.radians([0, 10, 70, 180, 200, 215])
    tokens = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.arange(1, 7)[:, None]
    labels = np.array([0, 0, 0, 1, 1, 1])
    assert _diameters(tokens[None], labels)["angular_diameter"] == pytest.approx([(70 + 35) / 2])


def test_results_have_the_forms_of_the_contract(finished: Path):
    results = read_results(finished)
    assert {"provenance", "theory", "layers", "metrics", "images", "claims", "skipped"} <= set(results)
    for curve in results["layers"]["levels"].values():
        assert len(curve["mean"]) == len(curve["ci_low"]) == len(curve["ci_high"]) == LEVELS
    for form in ("simplified", "per_head"):
        steps = results["layers"]["steps"][form]
        assert len(steps["shrinks"]) == len(steps["ratio"]) == len(steps["eps_upper"]) == LEVELS - 1
        assert set(steps["violations"].values()) == {0}
        assert steps["certified"].keys() >= {"paper_main", "paper_appendix", "sharp", "cluster_dobrushin"}
    assert set(results["metrics"]) == {"clean", "shuffle-2"}
    purity = results["metrics"]["clean"]["purity"]
    assert purity["n"] == 3
    assert all(
        low <= mean <= high
        for low, mean, high in zip(purity["ci_low"], purity["mean"], purity["ci_high"], strict=True)
    )
    assert {"id", "statement", "verdict", "statistic", "ci", "n"} <= set(results["claims"][0])


def test_every_theorem_comes_with_its_proof_and_what_its_tests_found(finished: Path):
    theory = read_results(finished)["theory"]
    assert set(theory) == set(THEOREMS)
    for label in ("paper_main", "sharp", "cluster_dobrushin"):
        assert theory[label]["proof"]["status"] == "closed"
        assert len(theory[label]["proof"]["sha256"]) == 64
        assert theory[label]["examples"] >= 1000
        assert 0.9 < theory[label]["worst_ratio"] <= 1


def test_steps_count_every_image_block_head_and_cluster(finished: Path):
    everything = read_table(finished, "steps").to_pylist()
    assert {row["partition"] for row in everything} == {"objects", "dbscan", "random"}
    assert {row["pooled"] for row in everything if row["partition"] != "objects"} == {False}
    steps = [row for row in everything if row["partition"] == "objects" and not row["pooled"]]
    pooled = [row for row in everything if row["pooled"]]
    assert 5 * len([row for row in steps if row["rung"] == "sharp"]) == len(pooled), "five rungs know ranges"
    clusters = {row["image"]: set() for row in steps}
    for row in steps:
        if row["cluster"] >= 0:
            clusters[row["image"]].add(row["cluster"])
    heads = {row["head"] for row in steps if row["form"] == "per_head"}
    per_head = [row for row in steps if row["form"] == "per_head" and row["rung"] == "sharp"]
    assert len(per_head) == sum(map(len, clusters.values())) * (LEVELS - 1) * len(heads)
    assert {row["block"] for row in steps} == set(range(1, LEVELS))
    objects = [row for row in steps if row["cluster"] >= 0]
    assert all(row["tokens"] + row["outside"] == 101 for row in objects)  # 10 x 10 patches, a class token
    assert {row["cluster"] for row in steps if row["cluster_name"] == "all tokens"} == {-1}


def test_the_same_settings_give_the_same_records(finished: Path, tmp_path: Path):
    again = run_study(small(), output=tmp_path / "again")
    for name in TABLES:
        assert same(read_table(again, name), read_table(finished, name)), name


def test_random_weights_have_no_twin_and_trained_ones_do(finished: Path, tmp_path: Path):
    assert "random_twin" not in read_results(finished)
    file = tmp_path / "weights.pth"
    torch.save(open_model(SMALL, random_weights=True, seed=5).model.state_dict(), file)
    folder = run_study(
        small(random_weights=False, checkpoint=file, conditions=("clean",), limit=2), output=tmp_path / "out"
    )
    results = read_results(folder)
    assert results["random_twin"]["metrics"]["clean"]["purity"]["n"] == 2
    assert results["random_twin"]["metrics"] != results["metrics"]
    twin = [row for row in read_table(folder, "measurements").to_pylist() if row["subject"] == "random_twin"]
    # The twin is the untrained model of the study with the same seed.
    untrained = [row for row in read_table(finished, "measurements").to_pylist() if row["subject"] == "model"]
    values = {(r["image"], r["condition"], r["level"], r["metric"]): r["value"] for r in untrained}
    assert twin
    for row in twin:
        key = (row["image"], row["condition"], row["level"], row["metric"])
        assert row["value"] == pytest.approx(values[key], abs=1e-6, nan_ok=True)


def test_a_study_that_was_killed_goes_on_where_it_stopped(tmp_path: Path):
    """A real process, really killed: the records are those of a study that ran in one go."""
    settings = small(limit=20)
    whole = run_study(settings, output=tmp_path / "whole")
    code = f"""
from pathlib import Path
from attnclust.study import Settings, run_study
settings = Settings(model={SMALL!r}, random_weights=True, conditions={settings.conditions!r}, limit=20)
run_study(settings, output=Path({str(tmp_path / "killed")!r}))
"""
    with (tmp_path / "stderr").open("w") as stderr:
        process = subprocess.Popen([sys.executable, "-c", code], stderr=stderr)
    first = tmp_path / "killed" / "shards" / "000001"
    deadline = time.monotonic() + 300
    while not first.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert first.exists(), (tmp_path / "stderr").read_text()
    assert not (tmp_path / "killed" / "results.json").exists(), "the study was too fast to be killed"
    half_written = tmp_path / "killed" / "shards" / "000003.partial"
    half_written.mkdir(exist_ok=True)
    (half_written / "steps.parquet").write_bytes(b"half a file")
    resumed = run_study(settings, output=tmp_path / "killed")
    for name in TABLES:
        assert same(read_table(resumed, name), read_table(whole, name)), name


def test_a_finished_study_is_not_measured_again(finished: Path):
    before = {file: file.stat().st_mtime_ns for file in finished.iterdir()}
    assert run_study(small(), output=finished) == finished
    assert {file: file.stat().st_mtime_ns for file in finished.iterdir()} == before


def test_a_folder_with_another_studys_records_is_refused(finished: Path):
    before = {file: file.read_bytes() for file in finished.iterdir()}
    with pytest.raises(ArgumentError, match=r"--output.*another study's records"):
        run_study(small(limit=4), output=finished)
    assert {file: file.read_bytes() for file in finished.iterdir()} == before


def test_a_folder_with_a_foreign_report_is_refused(tmp_path: Path):
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(ArgumentError, match="--output"):
        run_study(small(), output=tmp_path)
    assert (tmp_path / "index.html").read_text() == "mine"


def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArgumentError, match=r"--output: must be a folder"):
        run_study(small(), output=tmp_path / "file" / "below")


def test_bad_images_are_skipped_named_and_counted(voc: Path, tmp_path: Path):
    names = sorted(file.stem for file in (voc / "JPEGImages").iterdir())
    (voc / "JPEGImages" / f"{names[0]}.jpg").write_bytes(b"no picture")
    mask = voc / "SegmentationObject" / f"{names[1]}.png"
    Image.open(mask).crop((0, 0, 100, 100)).save(mask)
    folder = run_study(small(data=str(voc), limit=None, conditions=("clean",)), output=tmp_path / "out")
    results = read_results(folder)
    assert [entry["image"] for entry in results["skipped"]] == names[:2]
    assert all(entry["reason"] for entry in results["skipped"])
    assert results["images"]["clean"]["seen"] == 4
    assert results["metrics"]["clean"]["purity"]["n"] == 2


def test_no_image_left_is_refused_with_the_reason(voc: Path, tmp_path: Path):
    for file in (voc / "JPEGImages").iterdir():
        file.write_bytes(b"no picture")
    with pytest.raises(ArgumentError, match=r"at least one image must pass.*none of 4.*scene-11"):
        run_study(small(data=str(voc), limit=None), output=tmp_path / "out")
    # The folder is free again.
    assert run_study(small(limit=1, conditions=("clean",)), output=tmp_path / "out") == tmp_path / "out"


def test_scenes_and_their_voc_copy_give_the_same_selection(voc: Path, tmp_path: Path):
    """JPEG changes pixels a little; masks and what is selected stay."""
    folder = run_study(small(data=str(voc), limit=None, conditions=("clean",)), output=tmp_path / "out")
    images = {row["image"]: row["patches"] for row in read_table(folder, "images").to_pylist()}
    for scene in make_scenes(4, seed=11):
        chosen = select_objects(squash(scene, 160).instances, scene.classes, grid=10)
        assert images[scene.name] == sum(map(len, chosen.objects.values()))


def test_seeds_differ(finished: Path, tmp_path: Path):
    other = run_study(replace(small(), seed=1), output=tmp_path / "other")
    assert not same(read_table(other, "measurements"), read_table(finished, "measurements"))


def test_study_json_names_what_decides_the_numbers(finished: Path):
    who = json.loads((finished / "study.json").read_text())
    assert {"model", "weights_sha256", "data", "conditions", "protocol", "seed", "device", "limit"} <= set(
        who
    )
