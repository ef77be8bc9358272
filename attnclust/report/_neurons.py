"""Section "what neurons tell": views of tokens through single neurons, level by level."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attnclust.plots import (
    draw_views,
    encode_filter,
    encode_picture,
    encode_signed,
    expand_view,
    to_png,
)
from attnclust.report._figures import Gallery
from attnclust.report._study import Study
from attnclust.report._text import number

_MOST_SHEETS = 4
_MOST_TOKENS = 4
_MOST_LEVELS = 5
_QUANTILE = 0.995


@dataclass(frozen=True)
class Cell:
    """One small picture as a data address, and what it shows."""

    src: str
    alt: str


@dataclass(frozen=True)
class Sheet:
    """Views of one image through one neuron: `rows` are (level, pictures in the order of `tokens`)."""

    image: str
    neuron: int
    input: Cell | None
    filter: Cell | None
    column: Cell
    tokens: list[str]
    rows: list[tuple[int, list[Cell | None]]]
    scale: str
    patches: int


@dataclass(frozen=True)
class Neurons:
    """The sheets that are shown, of `stored` in the records."""

    sheets: list[Sheet]
    stored: int


def neurons(study: Study, gallery: Gallery) -> Neurons | None:
    """The section, or None if the records hold no views."""
    pictures, views = study.table("pictures"), study.table("views")
    if pictures is None or views is None:
        return None
    drawn = {(row["image"], row["kind"], row["neuron"]): row for row in pictures.to_pylist()}
    rows = views.to_pylist()
    seen = {row["image"] for row in rows if row["level"]}
    columns = [key for key in drawn if key[1] == "column" and key[0] in seen]
    sheets = [
        _sheet(drawn, [row for row in rows if row["image"] == image], image, neuron, gallery, number_)
        for number_, (image, _, neuron) in enumerate(_spread(columns), start=1)
    ]
    return Neurons(sheets, len(columns)) if sheets else None


def _spread(columns: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """The first few columns, each image's first neuron before any image's second."""
    turn: dict[str, int] = {}
    ranked = []
    for place, key in enumerate(columns):
        turn[key[0]] = turn.get(key[0], -1) + 1
        ranked.append((turn[key[0]], place, key))
    return [key for _, _, key in sorted(ranked)[:_MOST_SHEETS]]


def _sheet(
    drawn: dict[tuple[str, str, int], dict[str, Any]],
    rows: Sequence[dict[str, Any]],
    image: str,
    neuron: int,
    gallery: Gallery,
    place: int,
) -> Sheet:
    column = _array(drawn[image, "column", neuron]).astype(np.float64)
    tokens = _tokens(rows)
    # At level 0 a view is one patch of the column, which is shown whole.
    levels = _levels(sorted({row["level"] for row in rows} - {0}))
    patches = len(rows[0]["weights"])
    weights = {(row["token"], row["level"]): np.asarray(row["weights"], np.float64) for row in rows}
    views = [
        [
            patches * expand_view(column, weights[token, level]).sum(0) if (token, level) in weights else None
            for token in tokens
        ]
        for level in levels
    ]
    shown = [view for row in views for view in row if view is not None]
    # The few largest values must not make the rest pale; what lies beyond the scale is drawn as its end.
    scale = float(np.quantile(np.abs(np.stack([column.sum(0), *shown])), _QUANTILE)) or 1.0
    roles = [role if role == "class token" else f"{role} ({token})" for token, role in tokens.items()]
    gallery.files[f"views-{place}.png"] = to_png(
        draw_views(
            views,
            rows=[f"level {level}" for level in levels],
            columns=roles,
            scale=scale,
            unit=f"{patches} × view, summed over channels",
        )
    )
    filter_row, input_row = drawn.get((image, "filter", neuron)), drawn.get((image, "input", -1))
    return Sheet(
        image,
        neuron,
        Cell(_address(encode_picture(_array(input_row))), f"The input image {image}") if input_row else None,
        Cell(_address(encode_filter(_array(filter_row))), f"Filter of neuron {neuron}")
        if filter_row
        else None,
        Cell(
            _address(encode_signed(column.sum(0), scale=scale)),
            f"Level 0: filter of neuron {neuron} times every patch of {image}",
        ),
        roles,
        [
            (
                level,
                [
                    None
                    if view is None
                    else Cell(
                        _address(encode_signed(view, scale=scale)),
                        f"View of token {role} at level {level} through neuron {neuron}",
                    )
                    for role, view in zip(roles, row, strict=True)
                ],
            )
            for level, row in zip(levels, views, strict=True)
        ],
        number(scale),
        patches,
    )


def _tokens(rows: Sequence[dict[str, Any]]) -> dict[int, str]:
    """A few tokens, one of each role before a second of any: token -> role."""
    roles = {row["token"]: row["role"] for row in rows}
    first, more = {}, {}
    for token, role in roles.items():
        (more if role in first.values() else first)[token] = role
    return dict([*first.items(), *more.items()][:_MOST_TOKENS])


def _levels(levels: list[int]) -> list[int]:
    """A few levels, evenly spread, the first and the last among them."""
    if len(levels) <= _MOST_LEVELS:
        return levels
    return [levels[round(i * (len(levels) - 1) / (_MOST_LEVELS - 1))] for i in range(_MOST_LEVELS)]


def _array(row: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(row["data"], np.dtype(row["dtype"]).newbyteorder("<")).reshape(row["shape"])


def _address(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
