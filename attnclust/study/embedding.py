"""t-SNE of one image under every condition, and of a mosaic of four: the paper's pictures, with their points.

An illustration, no evidence: t-SNE shows which tokens are neighbours, and neither distances between groups
nor their sizes; another seed gives another picture. No claim rests on it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from attnclust.data import LabelledImage, patch_labels, squash
from attnclust.study.class_attention import ClassAttention
from attnclust.study.measure import BATCH, Rows, Subject
from attnclust.study.prepare import CLEAN, View, to_input
from attnclust.vit import stream

PERPLEXITY, ITERATIONS = 30.0, 1000
MOSAIC = "mosaic"
"""The name of the picture made of four images."""

_SIDE = 224  # pixels of the picture that is kept, at most
_QUALITY = 90


@dataclass(frozen=True)
class _Picture:
    """What is embedded: pixels as the model sees them, each patch's object, the objects' names."""

    name: str
    image: str
    pixels: UInt8[np.ndarray, "h w 3"]
    labels: Int[np.ndarray, " n"]
    names: dict[int, str]


def embedding_rows(subject: Subject, views: Sequence[View], grid: tuple[int, int], *, seed: int) -> Rows:
    """Rows for the tables ``embedding`` and ``embedding_pictures``.

    Pictured are one selected image (the first with objects of two classes, if there is one) under every
    condition that was run, whether or not enough of its objects are left there, and a mosaic of the first
    four selected images, if there are so many.
    """
    chosen = [view for view in views if view.condition == CLEAN and view.selection.reason is None]
    clean = next((view for view in chosen if len(set(view.selection.class_names.values())) > 1), chosen[0])
    pictures = [_under(clean, view, grid) for view in views if view.image == clean.image]
    if len(chosen) >= 4:
        pictures.insert(1, _mosaic(chosen[:4], grid))
    rows: Rows = {"embedding": [], "embedding_pictures": []}
    for start in range(0, len(pictures), BATCH):
        some = pictures[start : start + BATCH]
        for picture, levels in zip(some, _levels(subject, some), strict=True):
            rows["embedding_pictures"].append(
                {"picture": picture.name, "image": picture.image, "grid": list(grid), "jpeg": _jpeg(picture)}
            )
            for level, tokens, attention in levels:
                rows["embedding"] += _points(picture, level, tokens, attention, seed)
    return rows


def shown_levels(blocks: int) -> list[int]:
    """The first level, the middle one, the last: 1, 7 and 12 of 12, as in the paper.

    >>> shown_levels(12), shown_levels(5), shown_levels(1)
    ([1, 7, 12], [1, 3, 5], [1])
    """
    return sorted({1, blocks // 2 + 1, blocks})


def embed(tokens: Float[np.ndarray, "t d"], *, seed: int) -> tuple[Float[np.ndarray, "t 2"], float, float]:
    """t-SNE of the tokens: points, the perplexity used (less than 30 where tokens are few), KL divergence."""
    perplexity = min(PERPLEXITY, (len(tokens) - 1) / 3)
    model = TSNE(perplexity=perplexity, max_iter=ITERATIONS, init="pca", random_state=seed)  # pyright: ignore[reportArgumentType]
    # In one thread: sums in an order that depends on the machine's load would give another picture.
    with threadpool_limits(1, user_api="openmp"):
        points = model.fit_transform(tokens)
    return points, perplexity, float(model.kl_divergence_)


def _under(clean: View, view: View, grid: tuple[int, int]) -> _Picture:
    """The picture of a view, labelled with the objects that count in the clean image."""
    mask = np.where(np.isin(view.mask, list(clean.selection.objects)), view.mask, 0)
    labels = patch_labels(mask, grid=grid)
    return _Picture(view.condition, view.image, view.pixels, labels, _numbered(clean.selection.class_names))


def _mosaic(views: Sequence[View], grid: tuple[int, int]) -> _Picture:
    """Four images as the quarters of one, their objects numbered on."""
    height, width = views[0].mask.shape
    pixels, mask = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    names: dict[int, str] = {}
    middle, centre = height // 2, width // 2
    for place, view in enumerate(views):
        down = slice(middle, height) if place // 2 else slice(0, middle)
        across = slice(centre, width) if place % 2 else slice(0, centre)
        size = (down.stop - down.start, across.stop - across.start)
        small = squash(LabelledImage(view.image, view.pixels, view.mask, ()), size)
        pixels[down, across] = small.image
        for identifier, name in view.selection.class_names.items():
            names[len(names) + 1] = name
            mask[down, across][small.instances == identifier] = len(names)
    labels = patch_labels(mask, grid=grid)
    images = " + ".join(view.image for view in views)
    return _Picture(MOSAIC, images, pixels, labels, _numbered(names))


def _numbered(names: dict[int, str]) -> dict[int, str]:
    """Objects of one class told apart: cat 1, cat 2."""
    classes = list(names.values())
    return {
        identifier: name
        if classes.count(name) == 1
        else f"{name} {1 + [key for key, other in names.items() if other == name].index(identifier)}"
        for identifier, name in names.items()
    }


def _levels(
    subject: Subject, pictures: Sequence[_Picture]
) -> list[list[tuple[int, np.ndarray, np.ndarray | None]]]:
    """For each picture, at each level shown: class token (if any) and patch tokens; the class's roll-out."""
    images = to_input([picture.pixels for picture in pictures], subject.loaded, subject.device)
    attended, kept = ClassAttention(), {}
    prefix = 0
    for layout in stream(subject.loaded.model, images, attention="mean"):
        attended.add(layout)
        prefix = layout.prefix_tokens
        kept[layout.index] = layout.tokens.float().cpu().numpy()
    found = []
    for at in range(len(pictures)):
        rolled = attended.rows(at)
        here = []
        for level in shown_levels(max(kept)):
            tokens = kept[level][at]
            tokens = np.concatenate([tokens[: min(prefix, 1)], tokens[prefix:]])
            here.append((level, tokens, None if rolled is None else rolled[0][level - 1]))
        found.append(here)
    return found


def _points(
    picture: _Picture, level: int, tokens: np.ndarray, attention: np.ndarray | None, seed: int
) -> list[dict[str, Any]]:
    points, perplexity, divergence = embed(tokens, seed=seed)
    first = len(tokens) - len(picture.labels)  # the class token is embedded, and not drawn
    return [
        {
            "picture": picture.name,
            "image": picture.image,
            "level": level,
            "patch": patch,
            "x": float(x),
            "y": float(y),
            "object": int(label),
            "name": picture.names[int(label)] if label else "background",
            "attention": None if attention is None else float(attention[patch]),
            "perplexity": perplexity,
            "iterations": ITERATIONS,
            "seed": seed,
            "kl_divergence": divergence,
        }
        for patch, ((x, y), label) in enumerate(zip(points[first:], picture.labels, strict=True))
    ]


def _jpeg(picture: _Picture) -> bytes:
    image = Image.fromarray(picture.pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
