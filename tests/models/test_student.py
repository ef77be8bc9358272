"""The embedded student: what its card says is so, and it follows its teacher on scenes it never saw."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from attnclust.data import make_scenes
from attnclust.models import STUDENT_NAME, open_model, random_twin
from attnclust.models.student import CARD, WEIGHTS
from attnclust.study.measure import Subject
from attnclust.training.agreement import METRICS, Agreement, agreement

CURVES = [metric for metric in METRICS if metric != "nearest_same_object"]


def test_the_weights_are_the_ones_of_the_card_and_small_enough():
    card = CARD.read_text("utf-8")
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() in card
    assert WEIGHTS.stat().st_size <= 12e6


def test_the_architecture_is_that_of_the_paper():
    model = open_model().model
    assert len(model.blocks) == 12
    assert model.patch_embed.grid_size == (14, 14)
    assert model.num_prefix_tokens == 1
    assert 128 <= model.embed_dim <= 192


@pytest.fixture(scope="module")
def followed(real_data: Path) -> Agreement:
    """Teacher, student and random twin on 24 scenes of a seed that the card does not use."""
    checkpoint = real_data / "weights" / "deit_tiny_patch16_224.safetensors"
    models = {
        "teacher": open_model("deit_tiny_patch16_224", checkpoint=checkpoint),
        "student": open_model(STUDENT_NAME),
        "random twin": random_twin(STUDENT_NAME, seed=0),
    }
    subjects = [Subject(name, loaded, torch.device("cpu")) for name, loaded in models.items()]
    return agreement(subjects, make_scenes(24, seed=20))


@pytest.mark.parametrize("metric", CURVES)
def test_the_student_follows_its_teacher(followed: Agreement, metric: str):
    assert followed.gap(metric, "student", "teacher") <= 0.10
    assert followed.gap(metric, "student", "teacher") < followed.gap(metric, "random twin", "teacher") / 2


def test_nearest_patches_lie_on_the_same_object(followed: Agreement):
    assert followed.curves["student"]["nearest_same_object"][3:].min() >= 0.95
    assert followed.curves["random twin"]["nearest_same_object"][3:].max() < 0.95


def test_the_card_tells_what_is_measured(followed: Agreement):
    """Other scenes than the card's, so near and not equal."""
    card = CARD.read_text("utf-8")
    for metric in METRICS:
        row = re.search(rf"^\| {metric} \| ([0-9.]+) \| ([0-9.]+) \|$", card, re.MULTILINE)
        assert row is not None
        assert float(row[1]) == pytest.approx(followed.gap(metric, "student", "teacher"), abs=0.04)


def test_agreement_of_a_model_with_itself():
    twin = random_twin("test_vit", seed=1)
    subjects = [Subject(name, twin, torch.device("cpu")) for name in ("one", "other")]
    found = agreement(subjects, make_scenes(2, seed=3))
    assert found.scenes == 2
    assert found.top1 == {"one": 1.0, "other": 1.0}
    assert all(found.gap(metric, "one", "other") == 0 for metric in METRICS)
    assert np.shape(found.curves["one"]["purity"]) == (7,)
