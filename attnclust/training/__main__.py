"""Make the embedded student's weights: ``python -m attnclust.training --output FOLDER``.

Distils DeiT-Tiny on procedural scenes, measures on held-out scenes how well the student follows it, and
writes the weights (half precision) and their model card. An interrupted run goes on where it stopped when
the same command is given again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from timm.models import deit, load_checkpoint
from timm.models.vision_transformer import VisionTransformer
from tqdm import tqdm

from attnclust.data import make_scenes
from attnclust.models.loading import describe, open_model, random_twin
from attnclust.models.student import CARD, STUDENT_NAME, WEIGHTS, build_student
from attnclust.study.measure import Subject
from attnclust.training.agreement import agreement
from attnclust.training.card import write_card
from attnclust.training.distill import Settings, distil

TEACHER = "deit_tiny_patch16_224"
# Training draws from seeds of its own: every small seed is held out.
HELD_OUT_SEED, HELD_OUT_SCENES = 1, 64


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    settings = Settings(steps=options.steps, batch=options.batch, seed=options.seed)
    device = torch.device(options.device)
    teacher = deit.deit_tiny_patch16_224(pretrained=options.teacher_checkpoint is None)
    if options.teacher_checkpoint is not None:
        load_checkpoint(teacher, str(options.teacher_checkpoint), strict=True)
    student = build_student(seed=settings.seed)
    with tqdm(total=settings.steps, unit="step", file=sys.stderr) as bar:

        def progress(step: int, loss: float) -> None:
            bar.update(step - bar.n)
            bar.set_postfix(loss=f"{loss:.4f}")

        seconds = distil(
            student,
            teacher,
            settings,
            state_file=options.output / "training_state.pt",
            device=device,
            workers=options.workers,
            progress=progress,
        )
    weights = options.output / WEIGHTS.name
    save_weights(student, weights)
    subjects = [
        Subject("teacher", describe(teacher.cpu(), TEACHER, "checkpoint"), torch.device("cpu")),
        # As users will load it: from the file, in half precision.
        Subject("student", open_model(STUDENT_NAME, checkpoint=weights), torch.device("cpu")),
        Subject("random twin", random_twin(STUDENT_NAME, seed=settings.seed), torch.device("cpu")),
    ]
    found = agreement(subjects, make_scenes(HELD_OUT_SCENES, seed=HELD_OUT_SEED))
    write_card(
        options.output / CARD.name,
        weights,
        settings,
        found,
        held_out=HELD_OUT_SEED,
        minutes=seconds / 60,
        device=options.machine or str(device),
    )
    print(options.output / CARD.name)
    return 0


def save_weights(student: VisionTransformer, file: Path) -> None:
    """Write a model's weights as half-precision safetensors."""
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous().cpu() for name, value in student.state_dict().items()}
    save_file(state, file, metadata={"format": "pt"})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m attnclust.training", description=__doc__)
    parser.add_argument(
        "--teacher-checkpoint", type=Path, help=f"weights of timm's {TEACHER}; default: timm's download"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for weights, card and training state"
    )
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--batch", type=int, default=Settings.batch)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--machine", help="the machine in words, for the card; default: the device")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
