"""Do views tell what a neuron owes to each patch? Patches are masked, and the true neurons' change compared.

The patches are split into blocks of neighbours, and each block is masked in turn: its pixels become the
normalisation's mean, which the model sees as 0, so that the block's part of a level-0 view is 0 and that
view's neuron loses just this part. A view predicts that the neuron changes by as much as it shows there:
the sum of |V| over the block. The score is the correlation of prediction and change (absolute) over the
blocks, for one neuron, token and level; the mean over all neurons and a few tokens (class token, a patch
an object, a patch of background) stands in the records, per level:

- ``faithfulness_rollout``: views as in the paper's text; ``faithfulness_residual``: with the residual
  path;
- ``faithfulness_attention``: the roll-out replaced by the attention of the last block alone;
- ``faithfulness_random``: by the same weights on patches drawn at random;
- ``faithfulness_uniform``: by equal weights on all patches, so by pixels and filter alone.

Where the prediction or the change is constant over the blocks there is no correlation; NaN where there is
none at all. Source: the faithfulness correlation of Bhatt, Weller and Moura (2020), with blocks for
random subsets.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int

from attnclust.study.measure import Rows
from attnclust.study.prepare import CLEAN, View, to_input
from attnclust.study.subject import Subject
from attnclust.study.views import filters_of, measurement_rows, shares
from attnclust.study.views_drawn import tokens_of
from attnclust.vit import stream

BLOCKS_A_SIDE = 4
EVERY = 3
"""One image in so many is masked: each costs as many forward passes as there are blocks."""


def faithfulness_rows(subject: Subject, views: Sequence[View]) -> Rows:
    """Rows for ``measurements``: of one in three of the selected images, clean."""
    selected = [view for view in views if view.condition == CLEAN and view.selection.reason is None]
    filters = filters_of(subject)
    rows: Rows = {"measurements": []}
    if filters is not None:
        for view in selected[::EVERY]:
            rows["measurements"] += measurement_rows(subject, view, _faithfulness(subject, view, filters))
    return rows


def blocks_of(grid: tuple[int, int], a_side: int = BLOCKS_A_SIDE) -> Int[np.ndarray, " n"]:
    """The block of each patch: `a_side` by `a_side` blocks, as equal as the grid allows.

    >>> blocks_of((4, 6), 2).reshape(4, 6)[[0, 3]].tolist()
    [[0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, 3]]
    """
    down, across = (np.arange(side) * min(a_side, side) // side for side in grid)
    return (down[:, None] * (across[-1] + 1) + across).ravel()


def correlation(
    predicted: Float[np.ndarray, "blocks *rest"],  # noqa: UP037
    change: Float[np.ndarray, "blocks *rest"],  # noqa: UP037
) -> Float[np.ndarray, "*rest"]:
    """Pearson's correlation over the blocks; NaN where one of the two is constant.

    >>> correlation(np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]), np.array([[3.0, 1], [5.0, 2], [7.0, 3]]))
    array([ 1., nan])
    """
    a, b = (each - each.mean(axis=0) for each in (predicted, change))
    lengths = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    # Sums that cancel leave rounding behind, which is no variation.
    varies = lengths > 1e-6 * np.sqrt((predicted**2).sum(axis=0) * (change**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), lengths, out=np.full(lengths.shape, np.nan), where=varies)


def _faithfulness(
    subject: Subject, view: View, filters: torch.Tensor
) -> dict[str, Float[np.ndarray, " levels"]]:
    image = to_input([view.pixels], subject.loaded, subject.device)
    levels = list(stream(subject.loaded.model, image, attention="mean"))
    prefix, grid = levels[0].prefix_tokens, levels[0].grid
    chosen = [0] * bool(prefix) + [prefix + patch for patch in tokens_of(view, grid).values()]
    before = torch.stack([level.tokens[0, chosen] for level in levels])
    blocks = blocks_of(grid)
    masks = np.arange(blocks.max() + 1)[:, None] == blocks
    after = _masked_tokens(subject, image, masks, grid, chosen)
    change = (after - before).abs().double().cpu().numpy()  # (blocks, levels, tokens, D)
    # |V_0| summed over each patch, for every filter.
    shown = torch.nn.functional.conv2d(image.cpu().abs(), filters.abs(), stride=filters.shape[2:])
    by_patch = shown[0].flatten(1).T.double().numpy()  # (N, D)
    scores = {}
    for name, weights in _weights(view, levels, prefix, chosen).items():
        masked = weights * masks[:, None, None, :]  # (blocks, levels, tokens, N)
        predicted = (masked.reshape(-1, len(blocks)) @ by_patch).reshape(change.shape)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
            scores[f"faithfulness_{name}"] = np.nanmean(correlation(predicted, change), axis=(1, 2))
    return scores


def _masked_tokens(
    subject: Subject,
    image: Float[torch.Tensor, "1 c h w"],
    masks: np.ndarray,
    grid: tuple[int, int],
    chosen: list[int],
) -> Float[torch.Tensor, "blocks levels t d"]:
    high, wide = image.shape[2] // grid[0], image.shape[3] // grid[1]
    keep = torch.from_numpy(~masks).reshape(-1, 1, *grid).to(image)
    keep = keep.repeat_interleave(high, dim=2).repeat_interleave(wide, dim=3)
    seen = stream(subject.loaded.model, image * keep, attention=None)
    return torch.stack([level.tokens[:, chosen] for level in seen], dim=1)


def _weights(
    view: View, levels: Sequence, prefix: int, chosen: list[int]
) -> dict[str, Float[np.ndarray, "levels t n"]]:
    """What each patch weighs for the chosen tokens, level by level, in every form that is compared."""
    maps = [level.attention[0].double().cpu().numpy() for level in levels[1:]]
    rolled, residual = (shares(maps, prefix, residual=r)[:, chosen] for r in (False, True))
    attention = np.concatenate(
        [np.full_like(rolled[:1], np.nan), np.stack([each[chosen, prefix:] for each in maps])]
    )
    # The same in every process, and for the model and its twin.
    key = hashlib.sha256(f"random views of {view.image}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(key, "big"))
    return {
        "rollout": rolled,
        "residual": residual,
        "attention": attention,
        "random": rng.permuted(rolled, axis=-1),
        "uniform": np.full_like(rolled, 1 / rolled.shape[-1]),
    }
