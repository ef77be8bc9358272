"""The paper's figures 1 to 5 on this study's images, as small pictures with captions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from attnclust.plots import (
    draw_views,
    encode_clipped,
    encode_filter,
    encode_picture,
    encode_signed,
    encode_tiles,
    reduced,
    to_png,
)
from attnclust.report._figures import Gallery
from attnclust.report._neurons_records import (
    ATTENTION,
    CLEAN,
    RESIDUAL,
    Drawn,
    Ranked,
    Weights,
    spread,
)
from attnclust.report._text import number

FORMS = {ATTENTION: "attention alone, as in the paper's text", RESIDUAL: "with the residual path"}
Save = tuple[Gallery, str]
"""Where a sheet is kept as a file, and its name."""
_MOST_TOKENS = 5
_QUANTILE = 0.98


@dataclass(frozen=True)
class Cell:
    """One small picture as a data address, what it shows in words, and a caption (empty in tables)."""

    src: str
    alt: str
    caption: str = ""
    pixels: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table of views on one scale: `rows` are (heading, pictures in the order of `columns`).

    `source` is what they are views of, where that is not shown elsewhere.
    """

    title: str
    corner: str
    columns: list[str]
    rows: list[tuple[str, list[Cell | None]]]
    scale: str
    source: Cell | None = None


@dataclass(frozen=True)
class PatchSheet:
    """All D views of one patch embedding, laid out and laid over one another, and the filters."""

    image: str
    patch: int
    pixels: Cell
    views: Cell
    overlays: list[Cell]
    filters: Cell


def overview(drawn: Drawn, neuron: int, image: str) -> list[Cell]:
    """The paper's Figure 1: from pixels and a filter to a neuron of the last level."""
    column = drawn.column(neuron, image)
    roles = drawn.weights[image, CLEAN, RESIDUAL]
    role = _of_interest(roles)
    if role is None:  # no patch's views in the records
        return []
    levels = sorted(drawn.weights[image, CLEAN, ATTENTION][role])
    weights = drawn.weights[image, CLEAN, ATTENTION][role]
    token = drawn.tokens[image, role]
    scale = _scale([column.sum(0)])

    def signed(level: int, caption: str) -> Cell:
        view = drawn.view(column, weights[level]) / (1 if level else len(weights[0]))
        return Cell(
            _png(encode_signed(view.sum(0), scale=scale)),
            f"View of token {token} ({role}) at level {level} through neuron {neuron}",
            caption,
        )

    grid = (drawn.inputs[image, CLEAN].shape[0] // drawn.filters.shape[2], -1)
    last = len(weights[0]) * weights[levels[-1]].reshape(grid)
    return [
        Cell(
            _webp(encode_picture(drawn.inputs[image, CLEAN])), f"The image {image}", "the image, in patches"
        ),
        Cell(
            _png(encode_filter(drawn.filters[neuron])), f"Filter of neuron {neuron}", f"filter {neuron}", True
        ),
        signed(0, f"level 0: filter times the one patch of token {token} ({role})"),
        Cell(
            _png(encode_signed(column.sum(0), scale=scale)),
            f"Column of neuron {neuron}: its filter times every patch",
            "level 0, all patches side by side: the filter’s column",
        ),
        *(
            signed(level, caption)
            for level, caption in (
                (1, "level 1: the column, each patch weighted by block 1’s attention"),
                (2, "level 2: block 2’s attention averages the views of level 1"),
                (levels[-1], f"level {levels[-1]}: and so on"),
            )
            if level in weights
        ),
        Cell(
            _png(encode_signed(last, scale=float(np.abs(last).max()) or 1.0)),
            f"Row {token} of the roll-out at level {levels[-1]}, one number a patch",
            f"all that is its own at level {levels[-1]}: one weight a patch",
            True,
        ),
    ]


def patch_sheet(drawn: Drawn, image: str) -> PatchSheet:
    """The paper's Figure 2."""
    roles = drawn.weights[image, CLEAN, ATTENTION]
    role = _of_interest(roles)
    patch = 0 if role is None else int(roles[role][0].argmax())
    pixels = drawn.patch(image, patch)
    views = drawn.filters * pixels
    across = round((2 * len(views)) ** 0.5)
    overlays: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "sum": lambda stack: stack.sum(axis=0),
        "mean": lambda stack: stack.mean(axis=0),
        "max": lambda stack: stack.max(axis=0),
        "l2": lambda stack: np.sqrt(np.square(stack).sum(axis=0)),
    }
    laid = {name: overlay(views) for name, overlay in overlays.items()}
    return PatchSheet(
        image,
        patch,
        Cell(
            _png(encode_filter(pixels)),
            f"Patch {patch} of {image} as the model sees it",
            f"patch {patch}",
            True,
        ),
        Cell(
            _webp(encode_tiles(views, columns=across)),
            f"The {len(views)} level-0 views of patch {patch}, one a filter, row by row from filter 0",
        ),
        [
            Cell(_png(encode_filter(over)), f"All views of patch {patch} overlaid by {name}", name, True)
            for name, over in laid.items()
        ],
        Cell(
            _webp(encode_tiles(drawn.filters, columns=across, own_scale=True)),
            f"The {len(views)} filters, row by row from filter 0",
        ),
    )


def filters(drawn: Drawn, ranked: list[Ranked]) -> Sheet:
    """The paper's Figure 3: a few filters across images, the most object-selective first, the least last."""
    chosen = [*ranked[:3], ranked[-1]] if len(ranked) > 3 else ranked
    columns = {
        (each.neuron, image): drawn.column(each.neuron, image) for each in chosen for image in drawn.images
    }
    rows: list[tuple[str, list[Cell | None]]] = [
        (
            "image",
            [
                Cell(_webp(encode_picture(drawn.inputs[image, CLEAN])), f"The image {image}")
                for image in drawn.images
            ],
        )
    ]
    for each in chosen:
        # Filters differ in size: each row has a scale of its own.
        scale = _scale([columns[each.neuron, image].sum(0) for image in drawn.images])
        rows.append(
            (
                f"{each.neuron} ({number(each.selectivity)})",
                [
                    Cell(
                        _png(encode_signed(columns[each.neuron, image].sum(0), scale=scale)),
                        f"Column of filter {each.neuron} on {image}",
                    )
                    for image in drawn.images
                ],
            )
        )
    return Sheet("", "filter", drawn.images, rows, "")


def tokens(
    drawn: Drawn, neuron: int, image: str, form: str, *, levels: int, save: Save | None = None
) -> Sheet:
    """The paper's Figure 4: one neuron of a few tokens, level by level."""
    weights = drawn.weights[image, CLEAN, form]
    column = drawn.column(neuron, image)
    roles = list(weights)[:_MOST_TOKENS]
    shown = spread(sorted({level for role in roles for level in weights[role]}), levels)
    heads = [_named(role, drawn.tokens[image, role]) for role in roles]
    views = [[_view(drawn, column, weights[role].get(level), level) for role in roles] for level in shown]
    source = Cell(_webp(encode_picture(drawn.inputs[image, CLEAN])), f"The image {image}")
    sheet = _sheet(f"{image}: {FORMS[form]}", heads, shown, views, neuron, image, save)
    return replace(sheet, source=source if form == ATTENTION else None)


def conditions(drawn: Drawn, neuron: int, image: str, form: str, gallery: Gallery) -> Sheet | None:
    """The paper's Figure 5: the class token's view under each kind of drop, level by level."""
    conditions = [c for i, c, f in drawn.weights if i == image and f == form]
    if len(conditions) < 2:
        return None
    role = next(iter(drawn.weights[image, CLEAN, form]))
    rolled = {c: drawn.weights[image, c, form][role] for c in conditions}
    # In raw pixels, where black is 0: a patch that was dropped shows nothing.
    columns = {c: drawn.column(neuron, image, c, raw=True) for c in conditions}
    shown = spread(sorted(set(rolled[CLEAN]) - {0}), 4)
    views = [[drawn.view(columns[c], rolled[c][level]).sum(0) for c in conditions] for level in shown]
    sheet = _sheet(FORMS[form], conditions, shown, views, neuron, image, save=(gallery, f"drops-{form}"))
    pictures: list[Cell | None] = [
        Cell(_webp(encode_picture(drawn.inputs[image, c])), f"The image {image}, {c}") for c in conditions
    ]
    return replace(sheet, rows=[("input", pictures), *sheet.rows])


def clipped(drawn: Drawn, neuron: int, image: str) -> list[Cell]:
    """Views in the paper's display: raw pixels times filter times weights, negative values black."""
    weights = drawn.weights[image, CLEAN, RESIDUAL]
    column = drawn.column(neuron, image, raw=True)
    cells = []
    for role in dict.fromkeys([next(iter(weights)), _of_interest(weights) or next(iter(weights))]):
        shown = spread(sorted(set(weights[role]) - {0}), 3)
        views = {level: drawn.view(column, weights[role][level]) for level in shown}
        scale = _scale([channel for view in views.values() for channel in view])
        cells += [
            Cell(
                _webp(encode_clipped(view, scale=scale)),
                f"Clipped display: {role} at level {level} through neuron {neuron}",
                f"{role}, level {level}",
            )
            for level, view in views.items()
        ]
    return cells


def _of_interest(roles: Weights) -> str | None:
    """The first patch that is not background."""
    return next((role for role, levels in roles.items() if 0 in levels and role != "background"), None)


def _view(drawn: Drawn, column: np.ndarray, weights: np.ndarray | None, level: int) -> np.ndarray | None:
    if weights is None:
        return None
    # At level 0 the one patch stands as it is in the column.
    return drawn.view(column, weights).sum(0) / (1 if level else len(weights))


def _sheet(
    title: str,
    heads: list[str],
    levels: list[int],
    views: list[list[np.ndarray | None]],
    neuron: int,
    image: str,
    save: Save | None,
) -> Sheet:
    shown = [view for row in views for view in row if view is not None]
    # The few largest values must not make the rest pale; what lies beyond the scale is drawn as its end.
    scale = _scale(shown)
    if save:
        gallery, name = save
        gallery.files[f"{name}.png"] = to_png(
            draw_views(
                views,
                rows=[f"level {level}" for level in levels],
                columns=heads,
                scale=scale,
                unit="view × patches, summed over channels",
            )
        )
    rows = [
        (
            str(level),
            [
                None
                if view is None
                else Cell(
                    _png(encode_signed(view, scale=scale)),
                    f"{image}: view of {head} at level {level} through neuron {neuron}",
                )
                for head, view in zip(heads, row, strict=True)
            ],
        )
        for level, row in zip(levels, views, strict=True)
    ]
    return Sheet(title, "level", heads, rows, number(scale))


def _named(role: str, token: int) -> str:
    return role if token < 0 or role == "class token" else f"{role} ({token})"


def _scale(pictures: list[np.ndarray]) -> float:
    """What the strongest colour stands for: few pixels of the pictures, as small as shown, lie beyond."""
    return float(np.quantile(np.abs(np.stack([reduced(picture) for picture in pictures])), _QUANTILE)) or 1.0


def _png(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _webp(content: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(content).decode()
