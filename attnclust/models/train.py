"""Make the embedded student's weights: ``python -m attnclust.models.train --output FOLDER``.

Distils DeiT-Tiny on procedural scenes, measures on held-out scenes how well the student follows it, and
writes the weights (half precision) and their model card. An interrupted run goes on where it stopped when
the same command is given again.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from timm.models import deit
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from tqdm import tqdm

from attnclust.models.distill import Settings, distil
from attnclust.models.student import WEIGHTS, build_student

TEACHER = "deit_tiny_patch16_224"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    settings = Settings(steps=options.steps, batch=options.batch, seed=options.seed)
    device = torch.device(options.device)
    teacher = deit.deit_tiny_patch16_224(
        pretrained=options.teacher_checkpoint is None,
        checkpoint_path=str(options.teacher_checkpoint or ""),
    )
    student = build_student(seed=settings.seed)
    started = time.monotonic()
    with tqdm(total=settings.steps, unit="step", file=sys.stderr) as bar:

        def progress(step: int, loss: float) -> None:
            bar.update(step - bar.n)
            bar.set_postfix(loss=f"{loss:.4f}")

        distil(
            student,
            teacher,
            settings,
            state_file=options.output / "training_state.pt",
            device=device,
            workers=options.workers,
            progress=progress,
        )
    minutes = (time.monotonic() - started) / 60
    print(f"distilled in {minutes:.1f} minutes", file=sys.stderr)
    save_weights(student, options.output / WEIGHTS.name)
    return 0


def save_weights(student: VisionTransformer, file: Path) -> None:
    """Write a model's weights as half-precision safetensors."""
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous().cpu() for name, value in student.state_dict().items()}
    save_file(state, file, metadata={"format": "pt"})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m attnclust.models.train", description=__doc__)
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
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
