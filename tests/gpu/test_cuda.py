"""What only a GPU can show; asked for with ``pytest -m gpu``, and then it fails where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from attnclust.records import read_results
from attnclust.study import Settings, run_study
from attnclust.vit import trace

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def _needs_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU, with whole float32: TF32 keeps 10 bits of a factor, the CPU 23."""
    if not torch.cuda.is_available():
        pytest.fail("asked for with -m gpu, and torch finds no GPU")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)


def test_a_trace_stays_on_the_device_and_is_the_cpus() -> None:
    """In float32, without TF32: sums of 192 products in another order, through two blocks."""
    model = timm.create_model("vit_tiny_patch16_224", img_size=64, depth=2).eval()
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    here = trace(model, images, attention="heads", values=True)
    there = trace(model.cuda(), images.cuda(), attention="heads", values=True)
    assert here.attention is not None
    assert there.attention is not None
    for mine, theirs in zip([*here.levels, *here.attention], [*there.levels, *there.attention], strict=True):
        assert theirs.is_cuda
        assert float((mine - theirs.cpu()).abs().max()) <= 1e-4 * float(mine.abs().max())


def test_a_study_on_the_gpu_is_the_cpus(tmp_path: Path) -> None:
    """Diameters to a thousandth, what shrinks and holds alike; a metric may turn at a near tie of eps."""
    results = {
        device: read_results(
            run_study(Settings(limit=3, conditions=("clean",), device=device), output=tmp_path / device)
        )
        for device in ("cpu", "cuda")
    }
    layers = [results[device]["layers"] for device in ("cpu", "cuda")]
    for name in ("raw_diameter", "relative_diameter", "angular_diameter"):
        mine, theirs = (np.array(each["levels"][name]["mean"]) for each in layers)
        np.testing.assert_allclose(theirs, mine, rtol=1e-3)
    for form in ("simplified", "per_head"):
        mine, theirs = (each["steps"][form] for each in layers)
        assert mine["n"] == theirs["n"]
        assert set(theirs["violations"].values()) == {0}
        np.testing.assert_allclose(theirs["shrinks"], mine["shrinks"], atol=0.02)
    for metric, curve in results["cpu"]["metrics"]["clean"].items():
        theirs = results["cuda"]["metrics"]["clean"][metric]["mean"]
        close = np.isclose(np.array(curve["mean"], float), np.array(theirs, float), atol=0.05, equal_nan=True)
        assert close.mean() >= 0.9, metric
