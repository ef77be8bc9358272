"""Distil a teacher's tokens, level by level, into the student: seeded, resumable.

Both models see the same scenes. At every level 0..L the student's tokens are pulled towards the teacher's,
seen through one fixed linear map with orthonormal columns (the projection that also gave the student its
first weights), so that distances between tokens survive; the class logits are pulled towards the teacher's.
Every error is divided by the teacher's own spread at that level.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from attnclust._array import ArgumentError
from attnclust.data import ALL_CONDITIONS, apply_condition, make_scenes
from attnclust.models.student import MEAN, PATCH, SIZE, STD
from attnclust.training.slicing import Module, slice_into

# Scenes for training come from seeds that no study uses: every other scene is held out.
TRAINING_SEEDS = 2**32


@dataclass(frozen=True)
class Settings:
    """What decides the weights, besides the teacher."""

    steps: int = 2000
    batch: int = 32
    seed: int = 0
    learning_rate: float = 4e-4
    weight_decay: float = 0.01
    # Share of the scenes that are shuffled or occluded, so that the student follows its teacher there too.
    disturbed: float = 0.4
    # Scenes from which the projection and the cuts of the heads are taken.
    slicing_scenes: int = 384


class _Scenes(Dataset[Tensor]):
    """Training images, each a pure function of the seed and its index."""

    def __init__(self, settings: Settings) -> None:
        count = settings.slicing_scenes + settings.steps * settings.batch
        self.settings = settings
        self.scenes = make_scenes(count, seed=TRAINING_SEEDS + settings.seed)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Tensor:
        scene = self.scenes[index]
        image = scene.image
        draw = np.random.default_rng((self.settings.seed, index))
        if draw.random() < self.settings.disturbed:
            condition = ALL_CONDITIONS[draw.integers(len(ALL_CONDITIONS))]
            grid = (SIZE // PATCH, SIZE // PATCH)
            image, _ = apply_condition(
                condition, image, scene.instances, grid=grid, seed=self.settings.seed, name=scene.name
            )
        return torch.from_numpy(np.ascontiguousarray(image))


def normalise(images: Tensor) -> Tensor:
    """Turn (B, S, S, 3) uint8 pixels into (B, 3, S, S) float32 with the teacher's mean and std."""
    mean, std = images.new_tensor(MEAN, dtype=torch.float32), images.new_tensor(STD, dtype=torch.float32)
    return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()


def levels_and_logits(model: Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return a model's tokens at levels 0..L, shape (L + 1, B, T, D), and its class logits (B, K)."""
    tokens = model.norm_pre(model.patch_drop(model._pos_embed(model.patch_embed(images))))
    levels = [tokens]
    for block in model.blocks:
        levels.append(block(levels[-1]))
    return torch.stack(levels), model.head(model.norm(levels[-1])[:, 0])


def distil(
    student: Module,
    teacher: Module,
    settings: Settings,
    *,
    state_file: Path,
    device: torch.device,
    workers: int = 1,
    save_every: int = 100,
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> float:
    """Train the student in place; an interrupted run goes on from ``state_file``.

    Args:
        student: changed in place.
        teacher: left as it is.
        settings: what decides the result.
        state_file: written every ``save_every`` steps; a file of other settings is refused.
        device: where to train.
        workers: processes that draw scenes.
        save_every: steps between two saves.
        progress: called with the step just done and its loss.

    Returns:
        The seconds that all steps together took, those before an interruption included.

    Raises:
        ArgumentError: ``state_file`` belongs to a run with other settings.
    """
    scenes = _Scenes(settings)
    teacher.eval()
    state = _load(state_file, settings)
    if state is None:
        sample = DataLoader(scenes, batch_size=32, sampler=range(settings.slicing_scenes))
        projection = slice_into(student, teacher, (normalise(images) for images in sample)).to(device)
        spread = None
    else:
        projection, spread = state["projection"].to(device), state["spread"].to(device)
        student.load_state_dict(state["student"])
    teacher.to(device)
    student.to(device)
    optimiser = torch.optim.AdamW(
        student.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    if state is not None:
        optimiser.load_state_dict(state["optimiser"])
    start, seconds = (0, 0.0) if state is None else (state["step"], state["seconds"])
    begun = time.monotonic() - seconds
    student.train()
    for step, images in enumerate(_batches(scenes, settings, start, workers), start=start):
        for group in optimiser.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step, settings.steps)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            pixels = normalise(images.to(device))
            with torch.no_grad():
                target, target_logits = levels_and_logits(teacher, pixels)
            tokens, logits = levels_and_logits(student, pixels)
        target, target_logits = target.float() @ projection, target_logits.float()
        if spread is None:
            spread = _spread(target, target_logits)
        errors = (tokens.float() - target).square().mean((1, 2, 3))
        logit_error = (logits.float() - target_logits).square().mean()
        loss = (torch.cat([errors, logit_error[None]]) / spread).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        progress(step + 1, loss.item())
        if (step + 1) % save_every == 0 or step + 1 == settings.steps:
            seconds = time.monotonic() - begun
            content = {
                "settings": asdict(settings),
                "step": step + 1,
                "seconds": seconds,
                "student": student.state_dict(),
                "optimiser": optimiser.state_dict(),
                "projection": projection,
                "spread": spread,
            }
            _save(state_file, content)
    student.eval()
    return seconds


def _spread(target: Tensor, logits: Tensor) -> Tensor:
    """Variance of the teacher's tokens at every level, then of its logits: the scales of the errors."""
    centred = target - target.mean((1, 2), keepdim=True)
    return torch.cat([centred.square().mean((1, 2, 3)), (logits - logits.mean(0)).square().mean()[None]])


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up over the first 3 % of the steps, then a cosine to zero."""
    warm = max(1, round(0.03 * steps))
    return min((step + 1) / warm, 0.5 * (1 + math.cos(math.pi * step / steps)))


def _batches(scenes: _Scenes, settings: Settings, start: int, workers: int) -> Iterator[Tensor]:
    first = settings.slicing_scenes + start * settings.batch
    sampler = range(first, len(scenes))
    return iter(DataLoader(scenes, batch_size=settings.batch, sampler=sampler, num_workers=workers))


def _save(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    torch.save(content, partial)
    os.replace(partial, file)  # a run killed while it saves leaves the last whole state


def _load(file: Path, settings: Settings) -> dict[str, Any] | None:
    if not file.exists():
        return None
    state = torch.load(file, map_location="cpu", weights_only=True)
    if state["settings"] != asdict(settings):
        raise ArgumentError(
            "state_file",
            f"must belong to a run with the settings {asdict(settings)}",
            f"{file} of a run with {state['settings']}",
            "Choose another --output, or delete the file to start anew.",
        )
    return state
