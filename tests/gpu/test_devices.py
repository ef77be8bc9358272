"""What is measured stays where the model is: the same functions on the CPU, and with ``-m gpu`` on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from attnclust.data import make_scenes
from attnclust.models import open_model
from attnclust.records import MODEL, PER_HEAD
from attnclust.study.prepare import View, to_input, views_of
from attnclust.study.theorem import theorem_rows
from attnclust.verify import verify
from attnclust.vit import stream, trace

SMALL = "test_vit"


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> torch.device:
    if request.param == "cuda":
        if not torch.cuda.is_available():
            pytest.fail("asked for with -m gpu, and torch finds no GPU")
        monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
        monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    return torch.device(request.param)


class Leaving(TorchDispatchMode):
    """Remembers floating tensors of `least` numbers or more that are copied from a device to the host."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.least, self.shapes = least, []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor) and made.is_cpu and made.is_floating_point():
            came = [each for each in args if isinstance(each, Tensor) and not each.is_cpu]
            if came and made.numel() >= self.least:
                self.shapes.append(tuple(made.shape))
        return made


def left(function: Callable[[], Any], *, least: int) -> tuple[Any, list[tuple[int, ...]]]:
    """What a function returns, and the shapes of what it copied to the host."""
    with Leaving(least) as watched:
        found = function()
    return found, watched.shapes


@pytest.mark.gpu
def test_a_copy_to_the_host_is_noticed() -> None:
    if not torch.cuda.is_available():
        pytest.fail("asked for with -m gpu, and torch finds no GPU")
    numbers = torch.ones(17, device="cuda")
    for copy in (numbers.cpu, lambda: numbers.double().to("cpu"), lambda: torch.empty(17).copy_(numbers)):
        assert left(copy, least=17)[1] == [(17,)]
    assert left(lambda: numbers * 2, least=17)[1] == []


@pytest.mark.parametrize("attention", ["mean", "heads"])
def test_a_trace_copies_nothing_to_the_host(device: torch.device, attention: Any) -> None:
    model = timm.create_model("vit_tiny_patch16_224", img_size=64, depth=2).eval().to(device)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).to(device)
    traced, shapes = left(lambda: trace(model, images, attention=attention, values=True), least=17)
    assert shapes == []
    made = [*traced.levels, *(traced.attention or []), *(traced.values or [])]
    assert len(made) == 3 + 2 + 2
    assert {tensor.device.type for tensor in made} == {device.type}


def test_a_check_in_float64_stays_on_the_device(device: torch.device) -> None:
    draw = np.random.default_rng(0)
    n, heads = 41, 3
    attention, tokens = draw.dirichlet(np.ones(n), size=(heads, n)), draw.normal(size=(heads, n, 7))
    labels = np.arange(n) % 3
    step = [torch.as_tensor(each, device=device) for each in (attention, tokens, labels)]
    found, shapes = left(lambda: verify(*step), least=n)
    assert shapes == []
    expected = verify(attention, tokens, labels)
    for rung, bound in found.bounds.items():
        assert bound.device.type == device.type
        assert bound.dtype == torch.float64
        np.testing.assert_allclose(bound.cpu(), expected.bounds[rung], rtol=1e-12)
        assert bool(found.holds[rung].all())
    for name in ("current", "measured", "eps_lower", "eps_upper"):
        assert getattr(found, name).device.type == device.type
        np.testing.assert_allclose(getattr(found, name).cpu(), getattr(expected, name), rtol=1e-12)


def test_the_theorem_inside_a_model_is_checked_on_the_device(device: torch.device) -> None:
    """Its rows come to the host; maps, values and levels do not."""
    loaded = open_model(SMALL, random_weights=True, seed=0)
    loaded.model.to(device)
    view = views_of(make_scenes(1, seed=0)[0], ["clean"], size=loaded.size, grid=(10, 10), seed=0)[0]
    rows, shapes = left(lambda: _rows_of_one_block(loaded, view, device), least=101)
    assert shapes == []
    assert all(row["holds"] for row in rows)
    assert {row["rung"] for row in rows if row["form"] == PER_HEAD} >= {"sharp", "block_transport"}


def _rows_of_one_block(loaded: Any, view: View, device: torch.device) -> list[dict[str, Any]]:
    images = to_input([view.pixels], loaded, device)
    first, second = (
        level
        for level, _ in zip(
            stream(loaded.model, images, attention="heads", values=True), range(2), strict=False
        )
    )
    before = first.tokens[0].detach().double()
    return list(theorem_rows(MODEL, view, second, before, 0, controls=False))
