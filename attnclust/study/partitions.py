"""The partitions of an image's tokens on which the theorem is tested."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from attnclust.clustering import dbscan
from attnclust.records import DBSCAN, RANDOM
from attnclust.study.prepare import View


@dataclass(frozen=True)
class Partition:
    """Each token's cluster (-1 for a token in none), and the clusters' names."""

    labels: Int[np.ndarray, " t"]
    names: list[str]


def of_objects(view: View, grid: tuple[int, int], prefix_tokens: int) -> Partition:
    """Objects and background, from the masks; prefix tokens are in no cluster."""
    return Partition(*view.labels(grid, prefix_tokens))


def control_partitions(
    view: View, tokens: Float[np.ndarray, "t d"], grid: tuple[int, int], prefix_tokens: int, *, block: int
) -> Mapping[str, Partition]:
    """What the theorem is tested on beside the objects, for the tokens that enter a block.

    ``dbscan``: DBSCAN of all patches, min_samples 3, with the official protocol's radius: the mean over
    objects of the mean distance between an object's raster-consecutive patches. Noise is in no cluster.
    ``random``: the objects' own sizes, dealt out to patches at random, anew for every image and block.
    """
    objects = of_objects(view, grid, prefix_tokens)
    patches = tokens[prefix_tokens:]
    steps = [
        np.linalg.norm(np.diff(patches[each], axis=0), axis=1).mean()
        for each in view.selection.objects.values()
    ]
    found = dbscan(patches, float(np.mean(steps)))
    draw = np.random.default_rng([zlib.crc32(view.image.encode()), block])
    dealt = draw.permutation(objects.labels[prefix_tokens:])
    nobody = np.full(prefix_tokens, -1)
    return {
        DBSCAN: Partition(
            np.concatenate([nobody, found]), [f"cluster {i}" for i in range(int(found.max(initial=-1)) + 1)]
        ),
        RANDOM: Partition(np.concatenate([nobody, dealt]), [f"like {name}" for name in objects.names]),
    }
