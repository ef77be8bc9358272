"""Where the real data lies, and how Hypothesis draws."""

from __future__ import annotations

import os
from pathlib import Path

# One thread a process, read when NumPy and torch are loaded: workers that run side by side would wait for
# each other's threads many times longer than they compute.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("default", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=2000)
# For a suite that runs once for every mutant: one failure is enough, and may be as large as it likes.
settings.register_profile(
    "mutation",
    settings.get_profile("ci"),
    phases=(Phase.explicit, Phase.generate, Phase.target),
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the trained DeiT-Tiny and the real VOC images (ATTNCLUST_DATA, else ../shared/data)."""
    root = Path(os.environ.get("ATTNCLUST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / "weights").is_dir():
        pytest.skip(f"no real data at {root}: set ATTNCLUST_DATA to a folder with weights/, VOCdevkit/")
    return root
