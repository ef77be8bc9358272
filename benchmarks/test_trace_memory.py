"""Peak memory of streaming a batch through ViT-B/16, over a plain forward's: under 3 % of keeping all maps.

Each side runs in a process of its own, and its highest resident size counts. `python -m pytest -s
benchmarks/test_trace_memory.py -o addopts=--import-mode=importlib`; ATTNCLUST_BATCH sets the batch (64).
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

BATCH = int(os.environ.get("ATTNCLUST_BATCH", "64"))
# All heads' maps of all blocks in float32: 12 blocks, 12 heads, 197 x 197.
ALL_MAPS = BATCH * 12 * 12 * 197 * 197 * 4

SIDE = """
import resource, sys
import timm, torch
from attnclust.vit import stream, trace
model = timm.create_model("vit_base_patch16_224").eval()
images = torch.zeros({batch}, 3, 224, 224).normal_(generator=torch.Generator().manual_seed(0))
trace(model, images[:1])
if {streamed}:
    for level in stream(model, images):
        pass
else:
    with torch.no_grad():
        model(images)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak(streamed: bool) -> int:
    code = SIDE.format(batch=BATCH, streamed=streamed)
    # Large blocks go back to the system at once, so that the resident size is what is in use.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="resource is for POSIX systems")
def test_streaming_memory(benchmark: Any) -> None:
    plain = peak(streamed=False)
    streamed = benchmark.pedantic(peak, args=(True,), rounds=1)
    benchmark.extra_info.update(
        batch=BATCH,
        plain_bytes=plain,
        streamed_bytes=streamed,
        share_of_all_maps=(streamed - plain) / ALL_MAPS,
    )
    assert (streamed - plain) / ALL_MAPS < 0.03
    print(
        f"\nbatch {BATCH}: plain {plain / 1e6:.0f} MB, streamed {streamed / 1e6:.0f} MB; the difference is "
        f"{(streamed - plain) / ALL_MAPS:.2%} of all maps' {ALL_MAPS / 1e6:.0f} MB"
    )
