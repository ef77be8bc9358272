"""Inside a really trained transformer: per head, on value vectors, the ladder holds exactly and
certifies as it should.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

from attnclust.bounds import certify
from attnclust.data import VOCObjects, select_objects, squash
from attnclust.verify import RUNGS, verify
from attnclust.vit import trace

IMAGES = 3


@pytest.fixture(scope="module")
def shares(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    """By rung and block, how many of the steps (block, head, cluster) of the first images are certified."""
    root: Path = request.getfixturevalue("real_data")
    weights = root / "weights" / "deit_tiny_patch16_224.safetensors"
    model = timm.create_model("deit_tiny_patch16_224", checkpoint_path=str(weights)).eval()
    config: Any = model.default_cfg
    mean, std = (np.array(config[name]) for name in ("mean", "std"))
    counts = {label: np.zeros(12) for label in (*RUNGS, "cascade", "all", "shrinks", "violations")}
    left = IMAGES
    for sample in VOCObjects(root / "VOCdevkit" / "VOC2007"):
        sample = squash(sample, 224)
        chosen = select_objects(sample.instances, sample.classes, grid=14)
        if chosen.reason:
            continue
        labels = np.zeros(197, dtype=np.int64)  # the background; the class token is an outsider
        labels[0] = -1
        for number, patches in enumerate(chosen.objects.values(), 1):
            labels[1 + patches] = number
        pixels = ((sample.image / 255 - mean) / std).transpose(2, 0, 1)[None]
        seen = trace(model, torch.tensor(pixels, dtype=torch.float32), attention="heads", values=True)
        assert seen.attention is not None
        assert seen.values is not None
        for block in range(12):
            attention, values = seen.attention[block][0].numpy(), seen.values[block][0].numpy()
            step, cascade = verify(attention, values, labels), certify(attention, values, labels)
            counts["all"][block] += step.counted.sum()
            counts["shrinks"][block] += step.shrinks.sum()
            counts["cascade"][block] += cascade.certified.sum()
            for label in RUNGS:
                counts[label][block] += step.certified[label].sum()
                counts["violations"][block] += (~step.holds[label]).sum()
        left -= 1
        if not left:
            break
    return counts


def test_no_rung_is_violated_and_nearly_every_cluster_shrinks(shares: dict[str, np.ndarray]) -> None:
    assert shares["all"].sum() >= IMAGES * 12 * 3 * 3
    assert shares["violations"].sum() == 0
    assert shares["shrinks"].sum() >= shares["all"].sum() - 1


def test_the_paper_s_bounds_certify_nothing_and_the_cascade_nearly_everything(
    shares: dict[str, np.ndarray],
) -> None:
    for label in ("paper_main", "paper_appendix", "linear", "product"):
        assert shares[label].sum() == 0
    order = ("sharp", "overlap", "cluster_dobrushin", "block_transport", "cascade", "shrinks")
    for weaker, stronger in pairwise(order):
        assert (shares[weaker] <= shares[stronger]).all(), (weaker, stronger)
    assert (shares["cluster_dobrushin"][-2:] == shares["all"][-2:]).all()
    assert shares["cluster_dobrushin"][:3].sum() < 0.6 * shares["all"][:3].sum()
    assert shares["cascade"].sum() >= 0.98 * shares["all"].sum()
