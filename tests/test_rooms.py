"""The rooms of the package, and which way their doors open."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "attnclust"

# What each room may import. A room that is missing here, or an import that is, fails the test.
DOORS = {
    "_array": set(),
    "_blocks": set(),
    "_labels": {"_array"},
    "geometry": {"_array", "_blocks", "_labels"},
    "attention": {"_array", "_labels", "geometry"},
    "bounds": {"_array", "_blocks", "_labels", "geometry"},
    "verify": {"_array", "_labels", "geometry", "bounds"},
    "watch": {"_array", "_labels", "geometry", "attention", "bounds"},
    "testing": {"_array", "_labels", "geometry", "attention", "bounds", "verify"},
    "data": {"_array"},
    "vit": {"_array"},
    "neurons": {"_array"},
    "clustering": {"_array"},
    "statistics": {"_array"},
    "records": {"_array"},
    "claims": {"_array", "records", "statistics"},
    "models": {"_array"},
    "plots": {"_array"},
    # The rooms of measurement meet here only.
    "study": {
        "_array", "attention", "bounds", "claims", "clustering", "command", "data", "geometry", "models",
        "neurons", "records", "statistics", "verify", "vit", "watch",
    },
    "training": {"_array", "data", "models", "study"},
    # Reads records, measures nothing.
    "report": {"_array", "bounds", "command", "plots", "records"},
    "command": {"_array", "data", "records", "study"},
}  # fmt: skip


def _imports() -> list[tuple[str, str, str]]:
    """(file, its room, the room it imports) for every import between rooms, lazy ones included."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        here = file.relative_to(PACKAGE)
        room = here.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [alias.name for alias in node.names]
                modules = (
                    [f"attnclust.{name}" for name in names]
                    if node.module == "attnclust"
                    else [node.module or ""]
                )
            else:
                assert not (isinstance(node, ast.ImportFrom) and node.level > len(here.parts) - 1), (
                    f"{here} leaves its room"
                )
                continue
            rooms = {module.split(".")[1] for module in modules if module.startswith("attnclust.")}
            found += [(str(here), room, other) for other in rooms - {room, "__version__"}]
    return found


def test_every_room_imports_only_what_it_may():
    wrong = [
        (file, other) for file, room, other in _imports() if room != "__init__" and other not in DOORS[room]
    ]
    assert not wrong


def test_the_check_sees_imports():
    assert ("verify.py", "verify", "geometry") in _imports()
    assert ("command.py", "command", "study") in _imports()


def test_only_the_command_reaches_the_study_from_the_report():
    """And only once something is to be measured."""
    assert {file for file, _, other in _imports() if other == "study"} == {
        "command.py",
        "training/__main__.py",
        "training/agreement.py",
    }
    tree = ast.parse((PACKAGE / "command.py").read_text("utf-8"))
    top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    top |= {node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert not any(name.startswith(("torch", "timm", "attnclust.study")) for name in top)


@pytest.mark.parametrize(
    "module",
    [
        "attnclust",
        "attnclust.bounds",
        "attnclust.attention",
        "attnclust.verify",
        "attnclust.watch",
        "attnclust.neurons",
        "attnclust.data",
        "attnclust.clustering",
        "attnclust.claims",
        "attnclust.report",
        "attnclust.command",
    ],
)
def test_importing_without_torch(module: str):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'timm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
