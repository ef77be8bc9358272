"""The student's model card: what it is, how it was made, how well it follows its teacher."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

from attnclust.models.student import DEPTH, HEADS, HIDDEN, PATCH, SIZE, STUDENT_NAME, WIDTH, build_student
from attnclust.training.agreement import Agreement
from attnclust.training.distill import TRAINING_SEEDS, Settings

TEACHER_LICENCE = "Apache-2.0"

_TEMPLATE = Path(__file__).with_name("card_template.md")


def write_card(
    file: Path,
    weights: Path,
    settings: Settings,
    found: Agreement,
    *,
    held_out: int,
    minutes: float,
    device: str,
) -> None:
    """Write the model card beside the weights.

    Args:
        file: the card.
        weights: the weights file that the card describes; its digest and size are read from it.
        settings: what decided the weights.
        found: curves of the subjects ``teacher``, ``student`` and ``random twin``.
        held_out: seed of the scenes on which they were measured.
        minutes: of distillation.
        device: where it ran, in words.
    """
    content = weights.read_bytes()
    metrics = list(found.curves["student"])
    file.write_text(
        _TEMPLATE.read_text("utf-8").format(
            name=STUDENT_NAME,
            depth=DEPTH,
            heads=HEADS,
            patch=PATCH,
            size=SIZE,
            width=WIDTH,
            hidden=HIDDEN,
            levels=DEPTH + 1,
            parameters=sum(p.numel() for p in build_student().parameters()),
            teacher="deit_tiny_patch16_224",
            scene_seed=TRAINING_SEEDS + settings.seed,
            seen=settings.steps * settings.batch,
            slicing=settings.slicing_scenes,
            minutes=minutes,
            device=device,
            file=weights.name,
            megabytes=len(content) / 1e6,
            sha256=hashlib.sha256(content).hexdigest(),
            licence=TEACHER_LICENCE,
            scenes=found.scenes,
            held_out=held_out,
            gaps="\n".join(_gap_row(found, metric) for metric in metrics),
            top1=found.top1["student"],
            twin_top1=found.top1["random twin"],
            tables="\n".join(_curve_table(found, metric) for metric in metrics),
            **{key: value for key, value in asdict(settings).items() if key != "slicing_scenes"},
        ),
        "utf-8",
    )


def _gap_row(found: Agreement, metric: str) -> str:
    student, twin = (found.gap(metric, who, "teacher") for who in ("student", "random twin"))
    return f"| {metric} | {student:.3f} | {twin:.3f} |"


def _curve_table(found: Agreement, metric: str) -> str:
    levels = range(len(found.curves["student"][metric]))
    head = f"| {metric}, level | " + " | ".join(str(level) for level in levels) + " |"
    lines = [head, "| --- |" + " --- |" * len(levels)]
    for subject, curves in found.curves.items():
        lines.append(f"| {subject} | " + " | ".join(f"{value:.2f}" for value in curves[metric]) + " |")
    return "\n".join(lines) + "\n"
