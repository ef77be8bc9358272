"""Slicing and distillation: exact where nothing is cut, reproducible, resumable."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import torch
from timm.models.vision_transformer import VisionTransformer

from attnclust._array import ArgumentError
from attnclust.models import build_student
from attnclust.models.student import MEAN, STD
from attnclust.training.distill import Settings, distil, levels_and_logits, normalise
from attnclust.training.slicing import slice_into
from attnclust.vit import trace


def vit(width: int, *, seed: int) -> VisionTransformer:
    """A small model whose every weight and bias is drawn, so that a forgotten one shows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VisionTransformer(
            img_size=32,
            patch_size=8,
            embed_dim=width,
            depth=3,
            num_heads=3,
            mlp_ratio=60 / width,
            num_classes=7,
        )
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def images(count: int = 8) -> torch.Tensor:
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(4))


def test_levels_are_those_of_the_trace():
    model = vit(24, seed=0)
    tokens, logits = levels_and_logits(model, images(2))
    traced = trace(model, images(2), attention=None)
    for mine, level in zip(tokens, traced.levels, strict=True):
        torch.testing.assert_close(mine, level)
    torch.testing.assert_close(logits, model(images(2)))


def test_slicing_to_the_same_width_changes_nothing_but_the_axes():
    teacher, student = vit(24, seed=0), vit(24, seed=1)
    projection = slice_into(student, teacher, [images()])
    torch.testing.assert_close(projection.T @ projection, torch.eye(24), atol=1e-5, rtol=0)
    with torch.no_grad():
        wanted, logits = levels_and_logits(teacher, images(3))
        got, got_logits = levels_and_logits(student, images(3))
    torch.testing.assert_close(got, wanted @ projection, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(got_logits, logits, atol=1e-3, rtol=1e-3)


def test_slicing_keeps_more_than_a_random_start():
    teacher = vit(24, seed=0)
    student = vit(21, seed=1)

    def error(projection: torch.Tensor) -> float:
        with torch.no_grad():
            wanted, got = (levels_and_logits(model, images())[0] for model in (teacher, student))
        return float((got - wanted @ projection).square().mean())

    projection = torch.eye(24)[:, :21]
    before = error(projection)
    projection = slice_into(student, teacher, [images()])
    assert error(projection) < before / 4


def test_the_constant_direction_stays_constant():
    """LayerNorm removes the mean of a token: the student's must remove the same part of it."""
    projection = slice_into(vit(21, seed=1), vit(24, seed=0), [images()])
    torch.testing.assert_close(projection @ torch.ones(21) / 21**0.5, torch.ones(24) / 24**0.5)


def test_normalise_is_the_teachers_preprocessing():
    pixels = torch.full((1, 2, 2, 3), 255, dtype=torch.uint8)
    expected = (1 - torch.tensor(MEAN)) / torch.tensor(STD)
    torch.testing.assert_close(normalise(pixels)[0, :, 0, 0], expected)
    assert normalise(pixels).shape == (1, 3, 2, 2)


SETTINGS = Settings(steps=3, batch=2, slicing_scenes=4)


def run(folder: Path, settings: Settings = SETTINGS, *, until: int | None = None) -> list[torch.Tensor]:
    def stop(step: int, _loss: float) -> None:
        if step == until:
            raise KeyboardInterrupt

    student = build_student(seed=2)
    with contextlib.suppress(KeyboardInterrupt):
        distil(
            student,
            build_student(seed=1),
            settings,
            state_file=folder / "state.pt",
            device=torch.device("cpu"),
            workers=0,
            save_every=1,
            progress=stop,
        )
    return [value.clone() for value in student.state_dict().values()]


def test_an_interrupted_run_ends_as_one_that_was_not(tmp_path: Path):
    whole = run(tmp_path / "whole")
    run(tmp_path / "parts", until=2)
    parts = run(tmp_path / "parts")
    assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_a_finished_run_is_read_back(tmp_path: Path):
    whole = run(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(whole, run(tmp_path), strict=True))


def test_a_state_of_other_settings_is_refused(tmp_path: Path):
    run(tmp_path, until=2)
    with pytest.raises(ArgumentError, match=r"state_file: must belong to a run with the settings"):
        run(tmp_path, Settings(steps=4, batch=2, slicing_scenes=4))
