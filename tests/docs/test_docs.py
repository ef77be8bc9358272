"""The documentation: every link and name in it leads somewhere, and what it tells to run runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / page).read_text("utf-8"))


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_it_builds_strictly_and_offline(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the extra 'docs'")
    pytest.importorskip("mkdocstrings", reason="needs the extra 'docs'")
    _run([sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)], ROOT)
    theory = (tmp_path / "theory.html").read_text("utf-8")
    assert "<math" in theory
    assert "$" not in re.sub(r"<(script|pre|code).*?</\1>", "", theory, flags=re.DOTALL)
    assert 'id="attnclust.bounds.sharp_bound"' in (tmp_path / "api" / "bounds.html").read_text("utf-8")
    for page in tmp_path.rglob("*.html"):
        loads = re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)"', page.read_text("utf-8"))
        assert not loads, page


def test_the_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    """Python blocks share one interpreter's names, as a reader's notebook does."""
    python: list[str] = []
    for language, text in _blocks("docs/tutorial.md"):
        if language == "sh":
            # What came before must be on disk by then.
            _run([sys.executable, "-c", "\n".join(python)], tmp_path)
            words = text.replace("\\\n", " ").split()
            assert words[0] == "python"
            _run([sys.executable, *words[1:], "--limit", "2"], tmp_path)
        else:
            python.append(text)
    after = "\n".join(block for block in python if "write_voc" not in block)
    _run([sys.executable, "-c", after], tmp_path)
    for name in ("index.html", "report.md", "results.json"):
        assert (tmp_path / "my-report" / name).is_file()


@pytest.mark.parametrize("page", ["docs/theory.md", "README.md"])
def test_python_examples_run(page: str, tmp_path: Path) -> None:
    blocks = [text for language, text in _blocks(page) if language == "python"]
    assert blocks
    _run([sys.executable, "-W", "error", "-c", "\n".join(blocks)], tmp_path)
