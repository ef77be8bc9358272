"""Images per second of a vision transformer, plain and traced: ``python benchmarks/throughput.py``.

Both sides alternate in one run; medians count. The figures go to ``throughput.json`` beside this file, under
the machine's name, with model, dtype, batch, versions and date, so that runs on other machines stay.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import timm
import torch

from attnclust.vit import stream

FILE = Path(__file__).with_name("throughput.json")
ROUNDS = 7


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="vit_base_patch16_224")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--dtype", default="float32", choices=("float32", "float16", "bfloat16"))
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    device, dtype = torch.device(options.device), getattr(torch, options.dtype)
    model = timm.create_model(options.model).eval().to(device, dtype)
    images = torch.randn(options.batch, 3, 224, 224, device=device, dtype=dtype)

    def plain() -> None:
        with torch.inference_mode():
            model.forward_features(images)

    def traced() -> None:
        for _ in stream(model, images, attention="mean"):
            pass

    sides: dict[str, Callable[[], None]] = {"plain": plain, "traced": traced}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS + 1):  # the first round warms up
        for name, side in sides.items():
            start = time.perf_counter()
            side()
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    median = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    machine = torch.cuda.get_device_name() if device.type == "cuda" else platform.processor() or "cpu"
    record = {
        "model": options.model,
        "dtype": options.dtype,
        "batch": options.batch,
        "images_per_second": {name: round(options.batch / value, 1) for name, value in median.items()},
        "traced_over_plain": round(median["traced"] / median["plain"], 3),
        "torch": torch.__version__,
        "timm": timm.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }
    known = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    known.setdefault(machine, {})[f"{options.model}, {options.dtype}"] = record
    FILE.write_text(json.dumps(known, indent=2) + "\n", "utf-8")
    print(json.dumps({machine: record}, indent=2))


if __name__ == "__main__":
    main()
