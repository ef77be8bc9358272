"""Procedural scenes with pixel-true masks: the data that the package carries in itself.

A scene shows 2 to 4 large objects, each a shape in a texture ("striped disc"), before a cluttered, textured
and lit ground. Scene ``i`` is a pure function of (seed, i, size), bit for bit, on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, SupportsIndex, overload

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.data.sample import LabelledImage
from attnclust.data.scenes.compose import CLASSES, render

__all__ = ["CLASSES", "SceneSet", "make_scenes"]


@dataclass(frozen=True)
class SceneSet(Sequence[LabelledImage]):
    """Scenes made when they are asked for, and not kept.

    ``indices`` are the scenes' numbers: a slice of the set is a set of the same scenes.

    >>> scenes = make_scenes(10, seed=1)
    >>> len(scenes[4:]), scenes[4:][0].name == scenes[4].name
    (6, True)
    """

    seed: int
    size: int
    indices: range

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, key: SupportsIndex) -> LabelledImage: ...
    @overload
    def __getitem__(self, key: slice) -> SceneSet: ...
    def __getitem__(self, key: SupportsIndex | slice) -> LabelledImage | SceneSet:
        if isinstance(key, slice):
            return SceneSet(self.seed, self.size, self.indices[key])
        return render(self.seed, self.indices[key], self.size)


def make_scenes(count: Any, *, seed: Any = 0, size: Any = 224) -> SceneSet:
    """``count`` procedural scenes of ``size`` x ``size`` pixels, made when they are asked for.

    Each scene holds 2 to 4 objects of the 25 classes in ``CLASSES``, painted from back to front, so that
    object ``i`` (value ``i + 1`` in the mask) hides parts of those before it. Each shows 6 to 25 % of the
    scene, and at least 60 % of itself. Scene ``i`` does not depend on ``count`` nor on what was read before.

    Args:
        count: how many scenes, from 1 to 2**32.
        seed: any integer from 0 to 2**64 - 1; scenes of different seeds are independent.
        size: height and width in pixels, from 64 to 1024; all lengths grow with it.

    Returns:
        A lazy sequence of :class:`~attnclust.data.sample.LabelledImage`: ``image`` (size, size, 3) and
        ``instances`` (size, size), both uint8, without void pixels.

    Raises:
        ArgumentTypeError: an argument is no integer.
        ArgumentError: an integer out of range.

    Example:
        >>> scene = make_scenes(3, seed=5)[2]
        >>> scene.image.shape, scene.instances.shape
        ((224, 224, 3), (224, 224))
        >>> len(scene.classes) == int(scene.instances.max())
        True
    """
    return SceneSet(
        _integer("seed", seed, 0, 2**64 - 1),
        _integer("size", size, 64, 1024),
        range(_integer("count", count, 1, 2**32)),
    )


def _integer(name: str, value: Any, low: int, high: int) -> int:
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise ArgumentTypeError(name, "must be an integer", repr(value), "Pass a Python or NumPy integer.")
    if not low <= number <= high:
        raise ArgumentError(name, f"must be from {low} to {high}", number, "Choose a number in this range.")
    return number
