"""How much of the class token's attention falls on objects: level by level, rolled out and block by block."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnclust.vit import Level


class ClassAttention:
    """The class token's attention to every patch, gathered while a model is streamed.

    Two readings of it: the attention that it pays in each block (mean over heads), and the residual roll-out,
    the class row of the product over all blocks so far of (A + I) / 2, A the head-mean attention. The second
    is what the authors' pictures show. Gives what ``attnclust.neurons.rollout(..., residual=True)`` gives,
    and keeps one matrix at a time.
    """

    def __init__(self) -> None:
        self._carried: Tensor | None = None
        self._rows: list[tuple[Tensor, Tensor]] = []

    def add(self, level: Level) -> None:
        """Take the next level, in order. Level 0 has no attention; without prefix tokens no class row is."""
        if level.attention is None or not level.prefix_tokens:
            return
        attention = level.attention if level.attention.ndim == 3 else level.attention.mean(dim=1)
        prefix = level.prefix_tokens
        if self._carried is None:
            identity = torch.eye(attention.shape[-1], dtype=attention.dtype, device=attention.device)
            self._carried = identity[:, prefix:].expand(len(attention), -1, -1)
        self._carried = (attention @ self._carried + self._carried) / 2
        self._rows.append((self._carried[:, 0].cpu(), attention[:, 0, prefix:].cpu()))

    def rows(self, at: int) -> tuple[Float[np.ndarray, "blocks n"], Float[np.ndarray, "blocks n"]] | None:
        """Class rows of the roll-out and of the attention, blocks 1..L, of image `at`; None without any."""
        if not self._rows:
            return None
        rolled, paid = zip(*self._rows, strict=True)
        return tuple(torch.stack([each[at] for each in rows]).double().numpy() for rows in (rolled, paid))  # pyright: ignore[reportReturnType]


def contrasts(
    rolled: Float[np.ndarray, "blocks n"],
    paid: Float[np.ndarray, "blocks n"],
    objects: Mapping[int, Int[np.ndarray, " patches"]],
) -> dict[str, Float[np.ndarray, " levels"]]:
    """How many times as much a patch on an object draws as one of the background, as log2: 1 is twice.

    ``class_rollout_contrast`` of the residual roll-out, ``class_attention_contrast`` of each block's own
    attention. 0 at level 0, where all patches have drawn the same nothing; empty without a background.

    Args:
        rolled: the roll-out's class rows, after blocks 1..L (:meth:`ClassAttention.rows`).
        paid: the attention's class rows in blocks 1..L.
        objects: object id -> patch indices.

    Returns:
        metric -> (L + 1,).
    """
    on = np.zeros(rolled.shape[1], dtype=bool)
    on[np.concatenate(list(objects.values()))] = True
    if on.all():
        return {}
    found = {}
    for name, rows in (("rollout", rolled), ("attention", paid)):
        # Softmax can underflow to 0.
        means = [np.maximum(rows[:, side].mean(axis=1), np.finfo(np.float64).tiny) for side in (on, ~on)]
        found[f"class_{name}_contrast"] = np.concatenate([[0.0], np.log2(means[0] / means[1])])
    return found
