"""The doors of the house open one way, and the bounds need no torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import attnclust

ROOT = Path(attnclust.__file__).parent
MAY_IMPORT = {
    "_array": set(),
    "_labels": {"_array"},
    "geometry": {"_array", "_labels"},
    "attention": {"_array", "_labels", "geometry"},
    "bounds": {"_array", "_labels", "geometry"},
    "verify": {"_array", "_labels", "geometry", "bounds"},
    "testing": {"_array", "_labels", "geometry", "attention", "bounds", "verify"},
}


def rooms_imported(path: Path) -> set[str]:
    """The rooms of the package that a file imports, at any depth of nesting."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "attnclust":
            parts = (node.module or "").split(".")
            rooms |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            rooms |= {parts[1] for parts in names if parts[0] == "attnclust" and len(parts) > 1}
    return rooms


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_go_one_way(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py")) or [ROOT / f"{room}.py"]
    for file in files:
        assert rooms_imported(file) - {room} <= MAY_IMPORT[room], file


def test_the_check_sees_a_forbidden_import(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("def f():\n    from attnclust.vit import trace\n    import attnclust.study\n")
    assert rooms_imported(file) == {"vit", "study"}


def test_bounds_and_verify_import_no_torch() -> None:
    code = (
        "import sys, attnclust.bounds, attnclust.verify, attnclust.attention; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
