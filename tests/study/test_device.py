"""What the metrics of a GPU's tensors bring to the host, as far as that shows without a GPU.

The road that a tensor of a GPU takes is walked with one of the host, which a mode of torch watches. That an
operation exists on CUDA, and what it gives there, only ``tests/gpu`` can show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from attnclust.clustering._objects import as_objects
from attnclust.clustering.protocols import _measure_some
from attnclust.study.measure import _diameters
from attnclust.study.separation import separation

LEVELS, N, D = 3, 60, 256
OBJECTS = {2: np.arange(13), 3: np.arange(20, 31), 7: np.arange(31, 48)}
NAMES = {2: "cat", 3: "dog", 7: "cat"}

_READS = {
    *(Tensor.tolist, Tensor.item, Tensor.__bool__, Tensor.__float__, Tensor.__int__, Tensor.__index__),
}
_NEW = {torch.asarray, torch.tensor, torch.as_tensor, torch.empty, torch.zeros, torch.ones, torch.full}
_NEW |= {torch.arange, torch.eye, torch.linspace, torch.from_numpy}


class Crossings(TorchFunctionMode):
    """Treats the tensors of the host as another device's: notes each that is read, by dtype and size.

    What would fail on that device fails here: a tensor read as a NumPy array that was not brought over, and
    a new tensor that is told no device.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[torch.dtype, int]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is Tensor.cpu or (func is Tensor.to and ("cpu" in args or torch.device("cpu") in args)):
            self.seen.append((args[0].dtype, args[0].numel()))
            brought = func(*args, **kwargs).clone()
            brought.on_host = True
            return brought
        if func in _READS:
            self.seen.append((args[0].dtype, args[0].numel()))
        elif func in {Tensor.numpy, Tensor.__array__}:
            assert getattr(args[0], "on_host", False), "a tensor of the device, read as a NumPy array"
        elif func in _NEW and not isinstance(args[0] if args else None, Tensor):
            assert kwargs.get("device") is not None, f"{func.__name__}: a new tensor that is told no device"
        return func(*args, **kwargs)

    def floats(self) -> list[int]:
        """The sizes of the floating tensors that came over, the largest first."""
        return sorted((size for dtype, size in self.seen if dtype.is_floating_point), reverse=True)

    def others(self) -> list[int]:
        """The sizes of the boolean and integer tensors that came over, the largest first."""
        return sorted((size for dtype, size in self.seen if not dtype.is_floating_point), reverse=True)


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    """Objects that are found as clusters, in a background."""
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(LEVELS, N, D))
    for patches in OBJECTS.values():
        tokens[:, patches] += 2 * rng.normal(size=(LEVELS, 1, D))
    return tokens.astype(np.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("protocol", ["official", "paper"])
def test_metrics_bring_over_a_bit_a_pair_and_a_number_a_token_and_cluster(levels, protocol, dtype):
    tensor = torch.from_numpy(levels).to(dtype)
    with Crossings() as crossings:
        found = _measure_some(tensor, as_objects(OBJECTS, NAMES, N), protocol)
    assert found["clusters"].min() >= 2
    assert crossings.floats()[0] <= LEVELS * N * (found["clusters"].max() + len(OBJECTS))
    assert sum(crossings.floats()) < levels.size / 3
    clustered = sum(map(len, OBJECTS.values())) if protocol == "official" else N
    assert crossings.others()[0] == LEVELS * clustered**2
    assert sum(crossings.others()[1:]) < LEVELS * clustered**2


def test_blind_brings_the_tokens_over_once(levels):
    with Crossings() as crossings:
        _measure_some(torch.from_numpy(levels), as_objects(OBJECTS, NAMES, N), "blind")
    assert crossings.floats().count(levels.size) == 1
    assert sum(crossings.floats()[1:]) < levels.size / 3


def test_diameters_and_separation_bring_over_a_number_a_level_and_score(levels):
    labels = np.full(N, -1)
    for place, patches in enumerate(OBJECTS.values()):
        labels[patches] = place
    tensor = torch.from_numpy(levels).double()
    with Crossings() as crossings:
        found = _diameters(tensor, labels) | separation(tensor, OBJECTS, NAMES)
    assert crossings.floats()[0] <= LEVELS * len(OBJECTS)
    assert sum(crossings.others()) < levels.size / 100
    wide = levels.astype(np.float64)
    for name, curve in (_diameters(wide, labels) | separation(wide, OBJECTS, NAMES)).items():
        np.testing.assert_allclose(found[name], curve, rtol=1e-12, err_msg=name)


def test_the_watch_sees_what_would_cross(levels):
    tensor = torch.from_numpy(levels)
    with Crossings() as crossings:
        float(tensor.sum())
        tensor[0].cpu().numpy()
        bool((tensor > 0).any())
        with pytest.raises(AssertionError, match="of the device"):
            np.asarray(tensor)
        with pytest.raises(AssertionError, match="no device"):
            torch.zeros(3)
    assert crossings.floats() == [N * D, 1]
    assert crossings.others() == [1]
