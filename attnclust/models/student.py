"""The embedded student: its architecture, and where its weights lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from timm.models.vision_transformer import VisionTransformer

STUDENT_NAME = "attnclust_student"
WEIGHTS = Path(__file__).parent / "weights" / "attnclust_student.safetensors"
CARD = WEIGHTS.with_name("MODEL_CARD.md")

# The teacher's depth, grid, head count and hidden width; seven eighths of its embedding.
WIDTH, HIDDEN, HEADS, DEPTH, CLASSES = 168, 768, 3, 12, 1000
PATCH, SIZE = 16, 224
# DeiT's preprocessing: the student looks at the pixels its teacher looked at.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def build_student(*, seed: int = 0) -> VisionTransformer:
    """Build the student's architecture with random weights.

    A timm ``VisionTransformer`` of 12 blocks, 3 heads, patch 16, 224 x 224 pixels and a class token, so
    that levels 0..12 and the 14 x 14 grid are those of the paper; embedding 168 (the teacher has 192).

    Args:
        seed: seed of the random weights. The global random state is left as it was.

    Returns:
        The model, in evaluation mode, float32, on the CPU.

    Example:
        >>> sum(p.numel() for p in build_student().parameters())
        4810480
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: Any = VisionTransformer(
            img_size=SIZE,
            patch_size=PATCH,
            embed_dim=WIDTH,
            depth=DEPTH,
            num_heads=HEADS,
            mlp_ratio=HIDDEN / WIDTH,
            num_classes=CLASSES,
        )
    model.pretrained_cfg = {
        "input_size": (3, SIZE, SIZE),
        "mean": MEAN,
        "std": STD,
        "interpolation": "bicubic",
    }
    return model.eval()
