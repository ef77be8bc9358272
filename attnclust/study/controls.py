"""What the metrics are held against: the other protocols, raw pixels, and positions without an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from attnclust.clustering import PROTOCOLS, measure_level, measure_levels
from attnclust.records import PIXELS, POSITIONS
from attnclust.study.prepare import View
from attnclust.study.subject import Subject
from attnclust.vit import stream


def protocol_rows(
    subject: str, view: View, patches: Float[Any, "levels n d"], measured: str, curves: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Rows for the table ``protocols``: one image under all three; ``curves`` are those measured already."""
    objects, names = view.selection.objects, view.selection.class_names
    for protocol in PROTOCOLS:
        if protocol == "blind" and patches.shape[1] < 5:
            continue
        found = curves if protocol == measured else measure_levels(patches, objects, names, protocol=protocol)
        for metric, curve in found.items():
            for level, value in enumerate(curve):
                yield {
                    "subject": subject,
                    "image": view.image,
                    "protocol": protocol,
                    "level": level,
                    "metric": metric,
                    "value": float(value),
                }


def control_rows(
    view: View, positions: Float32[Tensor, "n d"], grid: tuple[int, int], protocol: str
) -> Iterator[dict[str, Any]]:
    """Rows for the table ``measurements``: the metrics with raw pixels, and with positions, for tokens.

    Neither has depth: their level is 0.
    """
    objects, names = view.selection.objects, view.selection.class_names
    for subject, tokens in ((PIXELS, patch_pixels(view.pixels, grid)), (POSITIONS, positions)):
        for metric, value in measure_level(tokens, objects, names, protocol=protocol).items():
            yield {
                "subject": subject,
                "image": view.image,
                "condition": view.condition,
                "level": 0,
                "metric": metric,
                "value": float(value),
            }


def patch_pixels(
    pixels: UInt8[np.ndarray, "h w 3"], grid: tuple[int, int]
) -> Float32[np.ndarray, "n pixels"]:
    """Each patch's own pixels in [0, 1], in raster order; those left over at the right and bottom are cut."""
    rows, columns = grid
    height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
    cells = pixels[: rows * height, : columns * width].reshape(rows, height, columns, width, 3)
    return cells.transpose(0, 2, 1, 3, 4).reshape(rows * columns, -1).astype(np.float32) / 255


def position_tokens(subject: Subject) -> Float32[Tensor, "n d"]:
    """What level 0 holds where there is no image: the position embeddings of the patches.

    They are level 0 of an input of zeros, less the bias of the patch embedding where that is one convolution;
    elsewhere a constant is left in them, which moves cosines and no distance. A model that adds no positions
    to its tokens (rotary ones) has equal tokens here: one cluster.
    """
    model: Any = subject.loaded.model
    height, width = subject.loaded.size
    with torch.inference_mode():
        first = next(iter(stream(model, torch.zeros(1, 3, height, width, device=subject.device))))
    embed = getattr(model, "patch_embed", None)
    bias = getattr(getattr(embed, "proj", None), "bias", None)
    tokens = first.tokens[0, first.prefix_tokens :].detach().float()
    if bias is None or bias.shape != tokens.shape[1:] or not _is_plain(embed):
        return tokens
    return tokens - bias.detach().float()


def _is_plain(embed: Any) -> bool:
    return isinstance(getattr(embed, "norm", None), torch.nn.Identity | None)
