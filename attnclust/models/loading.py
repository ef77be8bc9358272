"""Open the model that a study asks for, with weights whose origin is known; and its random twin."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import timm
import torch
from timm.data.config import resolve_model_data_config
from torch import nn

from attnclust._array import ArgumentError
from attnclust.models.student import STUDENT_NAME, WEIGHTS, build_student

WeightsKind = Literal["embedded", "checkpoint", "pretrained", "random"]


@dataclass(frozen=True)
class LoadedModel:
    """A vision transformer in evaluation mode, float32, and where its weights come from.

    Attributes:
        model: the torch module; its attributes are the architecture's own.
        name: timm's name, or ``attnclust_student``.
        weights: ``embedded`` (in this package), ``checkpoint`` (a file), ``pretrained`` (timm's download) or
            ``random``.
        sha256: digest of all weights and buffers, names included.
        parameters: how many numbers were, or could have been, learned.
        size: input height and width in pixels.
        mean, std: the normalisation of the model's training, for pixels in [0, 1].
    """

    model: Any
    name: str
    weights: WeightsKind
    sha256: str
    parameters: int
    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def open_model(
    name: str = STUDENT_NAME,
    *,
    checkpoint: Path | None = None,
    pretrained: bool = False,
    random_weights: bool = False,
    seed: int = 0,
) -> LoadedModel:
    """Open a model by name. Nothing is downloaded unless ``pretrained`` is set.

    Args:
        name: any timm vision transformer, or ``attnclust_student``, the embedded one.
        checkpoint: a weights file (safetensors or a torch state) that fits the model exactly.
        pretrained: let timm download the weights it publishes for this name.
        random_weights: initialise at random from ``seed``.
        seed: for random weights only.

    Returns:
        The model with its origin, on the CPU.

    Raises:
        ArgumentError: an unknown name; none or more than one source of weights (the embedded model has its
            own); a checkpoint that is missing or does not fit; a download that failed.

    Example:
        >>> opened = open_model("vit_tiny_patch16_224", random_weights=True, seed=1)
        >>> opened.size, opened.weights
        ((224, 224), 'random')
    """
    sources = [checkpoint is not None, pretrained, random_weights]
    if sum(sources) > 1:
        raise ArgumentError(
            "--checkpoint, --pretrained, --random-weights",
            "at most one of them may be given",
            f"{sum(sources)} of them",
            "Choose where the weights come from.",
        )
    if name == STUDENT_NAME and pretrained:
        raise ArgumentError(
            "--pretrained",
            f"{STUDENT_NAME} is published nowhere but in this package",
            f"--model {STUDENT_NAME} --pretrained",
            "Leave --pretrained out.",
        )
    if name != STUDENT_NAME and not any(sources):
        raise ArgumentError(
            "--model",
            "a named model needs weights",
            f"--model {name} alone",
            "Add --checkpoint FILE, --pretrained (timm downloads them) or --random-weights.",
        )
    model = _build(name, pretrained=pretrained, seed=seed)
    kind: WeightsKind = "random" if random_weights else "pretrained" if pretrained else "checkpoint"
    if name == STUDENT_NAME and not any(sources):
        kind, checkpoint = "embedded", WEIGHTS
    if checkpoint is not None:
        _load(model, name, checkpoint)
    return describe(model, name, kind)


def random_twin(name: str, *, seed: int) -> LoadedModel:
    """The same architecture with random weights: what of a measurement owes nothing to training.

    >>> random_twin("attnclust_student", seed=3).weights
    'random'
    """
    return open_model(name, random_weights=True, seed=seed)


def weights_digest(model: nn.Module) -> str:
    """SHA-256 over the names, types, shapes and bytes of a model's weights and buffers."""
    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        value = value.detach().cpu().contiguous()
        digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _build(name: str, *, pretrained: bool, seed: int) -> nn.Module:
    if name == STUDENT_NAME:
        return build_student(seed=seed)
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, [STUDENT_NAME, *timm.list_models()], n=3)
        raise ArgumentError(
            "--model",
            f"must be {STUDENT_NAME} or a model that timm knows",
            name,
            f"Did you mean {', '.join(near)}?" if near else 'timm.list_models("*vit*") lists them.',
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return timm.create_model(name, pretrained=pretrained).eval()
        except Exception as error:
            if not pretrained:
                raise
            raise ArgumentError(
                "--pretrained",
                f"timm must be able to download the weights of {name}",
                f"{type(error).__name__}: {error}",
                "Check the network, or give a file with --checkpoint.",
            ) from error


def _load(model: nn.Module, name: str, checkpoint: Path) -> None:
    if not checkpoint.is_file():
        raise ArgumentError("--checkpoint", "must be a file", f"{checkpoint}", "Check the path.")
    try:
        timm.models.load_checkpoint(model, str(checkpoint), strict=True)
    except Exception as error:  # whatever a foreign file makes the readers raise
        raise ArgumentError(
            "--checkpoint",
            f"must hold exactly the weights of {name}",
            f"{checkpoint}: {_first_lines(error)}",
            "Give the name of the model that the file was saved from with --model.",
        ) from error


def _first_lines(error: Exception, limit: int = 300) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[:limit] + " ..."


def describe(model: nn.Module, name: str, kind: WeightsKind) -> LoadedModel:
    """A model with the facts about it that a study needs."""
    config = resolve_model_data_config(model)
    _, height, width = config["input_size"]
    return LoadedModel(
        model=model,
        name=name,
        weights=kind,
        sha256=weights_digest(model),
        parameters=sum(p.numel() for p in model.parameters()),
        size=(height, width),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
