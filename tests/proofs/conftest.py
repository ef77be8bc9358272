"""The proofs' own scripts, and Coq's answer, built once a session."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROOFS = Path(__file__).parents[2] / "proofs"
INSTALL = "apt-get install coq libcoq-mathcomp-algebra make"


def script(name: str) -> ModuleType:
    """A script of proofs/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"proofs_{name}", PROOFS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def proofs() -> Path:
    return PROOFS


@pytest.fixture(scope="session")
def status() -> ModuleType:
    return script("status")


@pytest.fixture(scope="session")
def instances() -> ModuleType:
    return script("instances")


@pytest.fixture(scope="session")
def pictures() -> ModuleType:
    return script("pictures")


@pytest.fixture(scope="session")
def coq_output(status: ModuleType) -> str:
    """What `make -C proofs` prints."""
    if shutil.which("coqc") is None or shutil.which("make") is None:
        pytest.skip(f"Coq is not installed: {INSTALL}")
    where = subprocess.run(["coqc", "-where"], capture_output=True, text=True, check=True).stdout.strip()
    if not Path(where, "user-contrib", "mathcomp", "algebra", "rat.vo").exists():
        pytest.skip(f"Coq's Mathematical Components are not installed: {INSTALL}")
    return status.build()
