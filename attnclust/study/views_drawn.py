"""What the report draws views from: pixels, filters, and the roll-out's rows of a few tokens."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

from attnclust.data import parse_condition
from attnclust.neurons import rollout
from attnclust.study.measure import Rows
from attnclust.study.photographs import Photograph
from attnclust.study.prepare import CLEAN, View, to_input
from attnclust.study.subject import Subject
from attnclust.vit import UntraceableError, patch_filters, trace

log = logging.getLogger("attnclust")

SHOWN = 6
"""Images over which filters are drawn."""
FORMS = {"attention": False, "residual": True}
DROPS = ("random", "salient", "non-salient")


def drawn_rows(subject: Subject, views: Sequence[View], photographs: Sequence[Photograph]) -> Rows:
    """Rows for the tables ``pictures`` and ``views``: of the first selected image, and of all photographs.

    Of the first image come the views of the class token, of a few patches (:func:`tokens_of` and a second one
    on the first object), and, under one condition of each kind of drop, of the class token. Of up to six
    selected images come pixels and masks, for the filters' columns.
    """
    rows: Rows = {"pictures": [], "views": []}
    model = subject.loaded
    try:
        filters = patch_filters(model.model).float().cpu().numpy()
    except UntraceableError as error:
        log.warning("no views of neurons: %s", error)
        return rows
    rows["pictures"] += [
        _picture("", "", "filters", filters.astype("<f2")),
        _picture("", "", "mean", np.array(model.mean)),
        _picture("", "", "std", np.array(model.std)),
    ]
    clean = [view for view in views if view.condition == CLEAN and view.selection.reason is None]
    grid = subject.layout().grid
    for view in clean[:SHOWN]:
        rows["pictures"] += [
            _picture(view.image, CLEAN, "input", view.pixels),
            _picture(view.image, CLEAN, "mask", _mask(view, grid)),
        ]
    first = clean[0]
    rows["views"] += _views(subject, first.image, CLEAN, first.pixels, _foreground_twice(first, grid))
    for view in _one_a_kind([view for view in views if view.image == first.image]):
        rows["pictures"].append(_picture(view.image, view.condition, "input", view.pixels))
        rows["views"] += _views(subject, view.image, view.condition, view.pixels, {})
    for photograph in photographs:
        rows["pictures"].append(_picture(photograph.name, CLEAN, "input", photograph.pixels))
        rows["views"] += _views(subject, photograph.name, CLEAN, photograph.pixels, photograph.patches)
    return rows


def tokens_of(view: View, grid: tuple[int, int]) -> dict[str, int]:
    """One patch an object (the nearest to its middle), and the background patch farthest from all objects."""
    place = np.stack(np.divmod(np.arange(grid[0] * grid[1]), grid[1]), axis=1).astype(float)
    chosen: dict[str, int] = {}
    for identifier, patches in view.selection.objects.items():
        middle = place[patches].mean(axis=0)
        nearest = patches[np.square(place[patches] - middle).sum(axis=1).argmin()]
        chosen[f"object {identifier}: {view.selection.class_names[identifier]}"] = int(nearest)
    covered = place[np.concatenate(list(view.selection.objects.values()))]
    distance = np.square(place[:, None] - covered[None]).sum(axis=2).min(axis=1)
    return chosen | {"background": int(distance.argmax())}


def _foreground_twice(view: View, grid: tuple[int, int]) -> dict[str, int]:
    """The background's patch of :func:`tokens_of`, two far apart on the first object, then the others."""
    chosen = tokens_of(view, grid)
    role, first = next(iter(chosen.items()))
    patches = next(iter(view.selection.objects.values()))
    rows, columns = np.divmod(patches, grid[1])
    away = (rows - first // grid[1]) ** 2 + (columns - first % grid[1]) ** 2
    two = {role: first, f"{role}, another patch": int(patches[away.argmax()])}
    return {"background": chosen["background"]} | two | chosen


def _one_a_kind(views: Sequence[View]) -> list[View]:
    """Of each kind of drop the condition whose ratio is nearest to one half."""
    found = []
    for kind in DROPS:
        ratios = [
            (abs(parsed.amount - 0.5), at)
            for at, view in enumerate(views)
            if (parsed := parse_condition(view.condition)).kind == kind
        ]
        found += [views[min(ratios)[1]]] if ratios else []
    return found


def _views(
    subject: Subject,
    image: str,
    condition: str,
    pixels: UInt8[np.ndarray, "h w 3"],
    patches: Mapping[str, int],
) -> Iterator[dict[str, Any]]:
    """Roll-out rows of the class token (of the mean over patches without one) and of some patches."""
    traced = trace(subject.loaded.model, to_input([pixels], subject.loaded, subject.device))
    assert traced.attention is not None
    prefix = traced.prefix_tokens
    for form, residual in FORMS.items():
        rolled = rollout([maps[0] for maps in traced.attention], prefix_tokens=prefix, residual=residual)
        rows = rolled.cpu().numpy()
        chosen = [("class token", 0, rows[:, 0])] if prefix else [("all patches", -1, rows.mean(axis=1))]
        zero = np.eye(rows.shape[2], dtype=rows.dtype)
        chosen += [
            (role, prefix + patch, np.concatenate([zero[patch : patch + 1], rows[:, prefix + patch]]))
            for role, patch in patches.items()
        ]
        for role, token, weights in chosen:
            # Prefix tokens, and the mean over patches, have no view at level 0.
            for level, row in enumerate(weights, start=len(rows) + 1 - len(weights)):
                yield {
                    "image": image,
                    "condition": condition,
                    "form": form,
                    "token": token,
                    "role": role,
                    "level": level,
                    "weights": row.tolist(),
                }


def _mask(view: View, grid: tuple[int, int]) -> UInt8[np.ndarray, "rows columns"]:
    """The object of each patch, 0 for none."""
    labels = np.zeros(grid[0] * grid[1], np.uint8)
    for identifier, patches in view.selection.objects.items():
        labels[patches] = identifier
    return labels.reshape(grid)


def _picture(image: str, condition: str, kind: str, array: np.ndarray) -> dict[str, Any]:
    return {
        "image": image,
        "condition": condition,
        "kind": kind,
        "shape": list(array.shape),
        "dtype": array.dtype.str,
        "data": np.ascontiguousarray(array).tobytes(),
    }
