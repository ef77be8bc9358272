"""A small study that runs in seconds: timm's smallest vision transformer with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from attnclust.data import make_scenes, write_voc
from attnclust.study import Settings, run_study

SMALL = "test_vit"


def small(**changes) -> Settings:
    given = {
        "model": SMALL,
        "random_weights": True,
        "conditions": ("clean", "shuffle-2"),
        "limit": 3,
    } | changes
    return Settings(**given)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study; not to be changed."""
    return run_study(small(), output=tmp_path_factory.mktemp("study") / "finished")


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """Four scenes as a Pascal VOC folder."""
    root = tmp_path / "VOC2007"
    write_voc(root, make_scenes(4, seed=11))
    return root


def same(one: pa.Table, other: pa.Table) -> bool:
    """Whether two tables hold the same bits; NaN, which stands for no number, equals itself."""
    if one.schema != other.schema or one.num_rows != other.num_rows:
        return False
    return all(
        np.array_equal(a.to_numpy(), b.to_numpy(), equal_nan=True)
        if pa.types.is_floating(a.type)
        else a.equals(b)
        for a, b in zip(one.columns, other.columns, strict=True)
    )
