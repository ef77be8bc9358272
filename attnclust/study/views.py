"""Numbers for what the paper says of views in words: likeness, objects, occlusion, position, filters.

Views are measured by their closed form (:mod:`attnclust.neurons`): a roll-out row, and how much light the
filters leave of each patch. Rows of the roll-out are scaled to sum to 1 here, so that a weight is the
share of what a view shows. Every number comes twice: for the roll-out of the paper's text (attention
alone) and, with the suffix ``_residual``, with the residual path. A level at which a number does not
exist holds NaN.

Metrics, all per level:

- ``view_same_object_cosine``, ``view_elsewhere_cosine``: the mean cosine of the views of two patches on
  one object; of a patch on an object and one that is not on it.
- ``view_lift_class``, ``view_lift_foreground``, ``view_lift_background``: the share of a view that lies
  on object patches, less those patches' share of the image; of the class token's view (without one, the
  mean view of all patches), of the views of object patches, of those of all others. 0: no preference for
  objects.
- ``view_retained`` (conditions that drop patches): how much of what the clean class token's view showed
  of the objects is still shown: over object patches that were not dropped, the sum of the smaller of the
  two weights, over the clean view's sum on objects. From 0 to 1.
- ``view_sum_gap`` (level 0): the largest difference, over patches and neurons, between a level-0 view's sum
  and what the neuron has gained over that of an image which the model sees as 0 (bias and position), over
  the largest such gain: rounding, where a neuron is a filter times a patch.
- ``position_r2_tokens``, ``position_r2_views``: how well a patch's place follows from its token, from its
  view (:func:`position_r2`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from scipy.stats import rankdata

from attnclust.data import parse_condition
from attnclust.neurons import rollout
from attnclust.study.measure import BATCH, Rows
from attnclust.study.prepare import CLEAN, View, to_input
from attnclust.study.subject import Subject
from attnclust.vit import UntraceableError, patch_filters, stream

FORMS = {"": False, "_residual": True}
"""Suffix of a metric's name -> whether its roll-out counts the residual path."""

DROPS = ("random", "salient", "non-salient")
FOLDS = 5
RIDGE = 1e-2

Curves = dict[str, Float[np.ndarray, " levels"]]


def view_rows(subject: Subject, views: Sequence[View]) -> Rows:
    """Rows for ``measurements`` and ``filters`` of all images whose clean version passed the selection."""
    clean = [view for view in views if view.condition == CLEAN and view.selection.reason is None]
    names = {view.image: view for view in clean}
    dropped = [v for v in views if v.image in names and parse_condition(v.condition).kind in DROPS]
    rows: Rows = {"measurements": [], "filters": []}
    filters = filters_of(subject)
    whole: dict[str, list[np.ndarray]] = {}
    blank = subject.layout().tokens[0].cpu().numpy()
    for seen in _traced(subject, clean):
        view, patches = seen.view, seen.tokens[:, seen.prefix :]
        image = to_input([view.pixels], subject.loaded, subject.device)[0].cpu()
        energy = None if filters is None else _energy(image, filters)
        curves = {"position_r2_tokens": position_r2(patches @ patches.swapaxes(-1, -2), seen.grid)}
        if filters is not None:
            neurons = _neurons(image, filters)
            rows["filters"] += _selectivity(subject, view, neurons)
            curves["view_sum_gap"] = _gap(neurons, patches - blank[seen.prefix :])
        for suffix, weights in zip(FORMS, seen.forms, strict=True):
            found = _objects(view, weights, seen.prefix)
            if energy is not None:
                kernel = _kernel(weights[:, seen.prefix :], energy)
                found |= _likeness(view, kernel)
                found["position_r2_views"] = position_r2(kernel, seen.grid)
                # A view of level 0 shows its own patch alone: it is its place, but says nothing of others'.
                found["position_r2_views"][0] = np.nan
            curves |= {name + suffix: curve for name, curve in found.items()}
        rows["measurements"] += measurement_rows(subject, view, curves)
        whole[view.image] = [readout(weights, seen.prefix) for weights in seen.forms]
    for seen in _traced(subject, dropped):
        clean_view = names[seen.view.image]
        curves = {
            "view_retained" + suffix: _retained(clean_view, seen, before, readout(after, seen.prefix))
            for suffix, before, after in zip(FORMS, whole[seen.view.image], seen.forms, strict=True)
        }
        rows["measurements"] += measurement_rows(subject, seen.view, curves)
    return rows


def filters_of(subject: Subject) -> Float[torch.Tensor, "d c p p"] | None:
    """The filters on the CPU; None where a neuron has no single filter."""
    try:
        return patch_filters(subject.loaded.model).float().cpu()
    except UntraceableError:
        return None


def measurement_rows(subject: Subject, view: View, curves: Curves) -> list[dict[str, Any]]:
    """Curves over levels as rows of ``measurements``."""
    return [
        {
            "subject": subject.name,
            "image": view.image,
            "condition": view.condition,
            "level": level,
            "metric": metric,
            "value": float(value),
        }
        for metric, curve in curves.items()
        for level, value in enumerate(curve)
    ]


def shares(maps: Sequence[np.ndarray], prefix: int, *, residual: bool) -> Float[np.ndarray, "levels t n"]:
    """The roll-out of every level from 0 on, rows summing to 1; NaN for prefix tokens at level 0."""
    # The model's rows sum to 1 up to the rounding of its own dtype.
    exact = [each / each.sum(axis=-1, keepdims=True) for each in maps]
    above = rollout(exact, prefix_tokens=prefix, residual=residual, prefix="rescale")
    zero = np.eye(above.shape[1])[None, :, prefix:]
    zero[:, :prefix] = np.nan
    return np.concatenate([zero, above])


def readout(weights: Float[np.ndarray, "levels t n"], prefix: int) -> Float[np.ndarray, "levels n"]:
    """The row that the prediction is made from: the class token's, or all patches' mean without one."""
    return weights[:, 0] if prefix else weights.mean(axis=1)


def position_r2(
    kernel: Float[np.ndarray, "levels n n"], grid: tuple[int, int]
) -> Float[np.ndarray, " levels"]:
    """How well row and column of a patch follow from its features: cross-validated R^2 of a ridge regression.

    Five folds, no two neighbours in one; the mean over the two coordinates. The penalty is a hundredth of
    the mean squared length of the features: differences under a tenth of that length do not count, so
    that rounding cannot decide. All folds come from one inverse (the residuals of a left-out fold F are
    (I - H_FF)^-1 times those of the fit to all, H the hat matrix).

    >>> position_r2(np.eye(9)[None], (3, 3)).round(2) <= 0  # features that say nothing of each other
    array([ True])
    """
    n = kernel.shape[-1]
    rows, columns = np.divmod(np.arange(n), grid[1])
    places = np.stack([rows, columns], axis=1).astype(np.float64)
    places -= places.mean(axis=0)
    length = np.einsum("lnn->l", kernel)[:, None, None] / n
    # A constant feature, as long as the others, is the intercept.
    whole = kernel + length
    hat = np.linalg.solve(whole + RIDGE * length * np.eye(n), whole).swapaxes(-1, -2)
    residuals = places - hat @ places
    fold = (rows + 2 * columns) % FOLDS
    left_out = np.empty_like(residuals)
    for part in (np.flatnonzero(fold == number) for number in range(FOLDS)):
        inside = np.eye(len(part)) - hat[:, part[:, None], part]
        left_out[:, part] = np.linalg.solve(inside, residuals[:, part])
    varying = (places**2).sum(axis=0) > 0
    ratio = (left_out**2).sum(axis=1)[:, varying] / (places**2).sum(axis=0)[varying]
    return (1 - ratio).mean(axis=1)


@dataclass(frozen=True)
class _Traced:
    """A view with its tokens, its roll-outs in the order of :data:`FORMS`, and how the tokens lie."""

    view: View
    tokens: Float[np.ndarray, "levels t d"]
    forms: list[np.ndarray]
    prefix: int
    grid: tuple[int, int]


def _traced(subject: Subject, views: Sequence[View]) -> Iterator[_Traced]:
    for start in range(0, len(views), BATCH):
        batch = views[start : start + BATCH]
        images = to_input([view.pixels for view in batch], subject.loaded, subject.device)
        levels = list(stream(subject.loaded.model, images, attention="mean"))
        prefix, grid = levels[0].prefix_tokens, levels[0].grid
        for at, view in enumerate(batch):
            maps = [
                each.attention[at].double().cpu().numpy() for each in levels if each.attention is not None
            ]
            tokens = torch.stack([level.tokens[at] for level in levels]).double().cpu().numpy()
            forms = [shares(maps, prefix, residual=residual) for residual in FORMS.values()]
            yield _Traced(view, tokens, forms, prefix, grid)


def _energy(image: torch.Tensor, filters: torch.Tensor) -> Float[np.ndarray, " n"]:
    """The squared length of all D level-0 views of each patch together."""
    squared = (filters.double() ** 2).sum(dim=0, keepdim=True)
    energy = torch.nn.functional.conv2d(image[None].double() ** 2, squared, stride=filters.shape[2:])
    return energy.flatten().numpy()


def _kernel(
    weights: Float[np.ndarray, "levels n n"], energy: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "levels n n"]:
    """Inner products of the patches' views, through all neurons at once, at every level."""
    return (weights * energy) @ weights.swapaxes(-1, -2)


def _members(view: View, n: int) -> Int[np.ndarray, " n"]:
    """Each patch's object, counted from 1; 0 for the background."""
    labels = np.zeros(n, np.int64)
    for number, patches in enumerate(view.selection.objects.values(), start=1):
        labels[patches] = number
    return labels


def _likeness(view: View, kernel: Float[np.ndarray, "levels n n"]) -> Curves:
    lengths = np.sqrt(np.einsum("lnn->ln", kernel))
    cosines = kernel / (lengths[:, :, None] * lengths[:, None, :])
    labels = _members(view, kernel.shape[-1])
    same = (labels[:, None] == labels) & (labels > 0)
    np.fill_diagonal(same, False)
    elsewhere = (labels[:, None] != labels) & (labels[:, None] > 0)
    return {
        "view_same_object_cosine": cosines[:, same].mean(axis=1),
        "view_elsewhere_cosine": cosines[:, elsewhere].mean(axis=1),
    }


def _objects(view: View, weights: Float[np.ndarray, "levels t n"], prefix: int) -> Curves:
    on_object = _members(view, weights.shape[-1]) > 0
    lift = weights[..., on_object].sum(axis=-1) - on_object.mean()
    patches = lift[:, prefix:]
    return {
        "view_lift_class": readout(weights, prefix)[:, on_object].sum(axis=-1) - on_object.mean(),
        "view_lift_foreground": patches[:, on_object].mean(axis=1),
        "view_lift_background": patches[:, ~on_object].mean(axis=1)
        if not on_object.all()
        else np.full(len(lift), np.nan),
    }


def _retained(
    clean: View,
    dropped: _Traced,
    before: Float[np.ndarray, "levels n"],
    after: Float[np.ndarray, "levels n"],
) -> Float[np.ndarray, " levels"]:
    on_object = _members(clean, before.shape[-1]) > 0
    shown = on_object & _untouched(clean.pixels, dropped.view.pixels, dropped.grid)
    return np.minimum(before, after)[:, shown].sum(axis=1) / before[:, on_object].sum(axis=1)


def _untouched(
    before: UInt8[np.ndarray, "h w 3"], after: UInt8[np.ndarray, "h w 3"], grid: tuple[int, int]
) -> Bool[np.ndarray, " n"]:
    """Which patches hold the same pixels in both pictures."""
    high, wide = before.shape[0] // grid[0], before.shape[1] // grid[1]
    same = (before == after)[: grid[0] * high, : grid[1] * wide]
    return same.reshape(grid[0], high, grid[1], wide, -1).all(axis=(1, 3, 4)).ravel()


def _neurons(
    image: Float[torch.Tensor, "c h w"], filters: Float[torch.Tensor, "d c p p"]
) -> Float[np.ndarray, "n d"]:
    """The sums of all level-0 views, patch by patch."""
    return torch.nn.functional.conv2d(image[None], filters, stride=filters.shape[2:])[0].flatten(1).T.numpy()


def _gap(
    neurons: Float[np.ndarray, "n d"], gained: Float[np.ndarray, "levels n d"]
) -> Float[np.ndarray, " levels"]:
    gap = np.full(len(gained), np.nan)
    gap[0] = np.abs(neurons - gained[0]).max() / np.abs(gained[0]).max()
    return gap


def _selectivity(subject: Subject, view: View, values: Float[np.ndarray, "n d"]) -> Iterator[dict[str, Any]]:
    """How each filter tells the patches of an object from the background's: 2 AUC - 1, from -1 to 1.

    1: each of the object's neurons is larger than each of the background's; -1: smaller.
    """
    background = values[_members(view, len(values)) == 0]
    if not len(background):
        return
    for identifier, patches in view.selection.objects.items():
        ranks = np.asarray(rankdata(np.concatenate([values[patches], background]), axis=0))
        count = len(patches)
        wins = ranks[:count].sum(axis=0) - count * (count + 1) / 2
        yield {
            "subject": subject.name,
            "image": view.image,
            "object": identifier,
            "class": view.selection.class_names[identifier],
            "selectivity": (2 * wins / (count * len(background)) - 1).tolist(),
        }
