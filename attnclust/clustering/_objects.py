"""The objects of an image as the metrics need them: checked, in order, with a label for every patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from attnclust._array import ArgumentError, ArgumentTypeError


@dataclass(frozen=True)
class Objects:
    """The objects of one image, in the order they came in.

    Attributes:
        patches: for each object its patches, in raster order.
        classes: for each object the number of its class, numbered as they first occur.
    """

    patches: tuple[Int[np.ndarray, " _"], ...]
    classes: Int[np.ndarray, " objects"]

    def truth(self, count: int) -> Int[np.ndarray, " n"]:
        """For each of the image's patches the place of its object in that order; background comes last."""
        labels = np.full(count, len(self.patches))
        for place, patches in enumerate(self.patches):
            labels[patches] = place
        return labels


def as_objects(objects: Any, class_names: Any, count: int) -> Objects:
    """Check the objects of an image with so many patches, and the names of their classes."""
    if not isinstance(objects, Mapping) or not objects:
        raise ArgumentError(
            "objects",
            "it must map at least one object id to patch indices",
            repr(objects),
            "Give what select_objects found.",
        )
    patches = tuple(_indices(key, value, count) for key, value in objects.items())
    together = np.concatenate(patches)
    if np.unique(together).size < together.size:
        twice = np.flatnonzero(np.bincount(together) > 1)[0]
        raise ArgumentError(
            "objects",
            "a patch must belong to one object",
            f"patch {twice} twice",
            "Use patch_labels.",
        )
    names = _names(objects, class_names)
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return Objects(patches, np.array([order[name] for name in names]))


def _indices(key: object, value: Any, count: int) -> Int[np.ndarray, " _"]:
    indices = np.asarray(value)
    if indices.dtype.kind not in "iu" and indices.size:
        raise ArgumentTypeError(
            "objects",
            "patch indices must be integers",
            f"{indices.dtype} for object {key!r}",
            "Give indices.",
        )
    if indices.ndim != 1 or indices.size < 2:
        raise ArgumentError(
            "objects",
            "an object must have at least two patches, as one list of indices",
            f"shape {indices.shape} for object {key!r}",
            "Leave smaller objects out.",
        )
    if indices.min() < 0 or indices.max() >= count:
        raise ArgumentError(
            "objects",
            f"patch indices must lie in 0..{count - 1}, for tokens without the class token",
            f"{indices.min()}..{indices.max()} for object {key!r}",
            "Cut the prefix tokens off, and count patches from 0.",
        )
    return np.sort(indices)


def _names(objects: Mapping[Any, Any], class_names: Any) -> list[str]:
    if isinstance(class_names, Mapping):
        missing = [key for key in objects if key not in class_names]
        if not missing:
            return [class_names[key] for key in objects]
        got = f"none for {missing}"
    elif isinstance(class_names, Sequence) and not isinstance(class_names, str):
        if len(class_names) == len(objects):
            return list(class_names)
        got = f"{len(class_names)} names for {len(objects)} objects"
    else:
        got = repr(class_names)
    raise ArgumentError(
        "class_names",
        "it must map each object id to its class name, or list one name an object in their order",
        got,
        "Give what select_objects found.",
    )
