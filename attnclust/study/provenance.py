"""Where the numbers of a study come from: settings, model, machine, versions."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from attnclust.models import LoadedModel
from attnclust.study.settings import Settings, digest

PACKAGES = ("attnclust", "numpy", "scipy", "scikit-learn", "torch", "timm", "pillow", "pyarrow")


def provenance(
    settings: Settings, who: dict[str, Any], loaded: LoadedModel, *, twin: bool, seconds: float
) -> dict[str, Any]:
    """The ``provenance`` of ``results.json``; ``seconds`` are this run's, even if resumed."""
    return {
        "study": digest(who),
        "settings": who,
        "data": settings.data,
        "model": {
            "name": loaded.name,
            "weights": loaded.weights,
            "checkpoint": None if settings.checkpoint is None else settings.checkpoint.name,
            "sha256": loaded.sha256,
            "parameters": loaded.parameters,
            "size": list(loaded.size),
            "mean": list(loaded.mean),
            "std": list(loaded.std),
        },
        "random_twin": twin,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 1),
        "device": torch.cuda.get_device_name()
        if settings.device == "cuda"
        else platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "platform": platform.system(),
        "versions": {name: version(name) for name in PACKAGES},
    }
