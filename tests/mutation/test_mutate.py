"""The runner on a package with known mutants: killed, looping, broken, equivalent; and stopped half-way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="mutation testing needs cosmic-ray, of the extra [dev]")

from tests.mutation.mutants import OPERATORS, described, generate, statement
from tests.mutation.mutate import listed

ROOT = Path(__file__).parents[2]
CODE = '''"""Docstrings with 1 + 1 stay."""

SIZE = (8,)[0]


def tripled(x: int) -> int:
    if x < 0:
        raise ValueError(f"{x + 1} is no count")
    return 3 * x


def down(n: int) -> int:
    while n != 0:
        n -= 1
    return n


def same(x: int) -> int:
    """
    >>> same(1)
    1
    """
    return max(x, x)


def unreached(x: int) -> int:
    return x + x
'''
TESTS = """import sys

import pytest
import toy
from toy.code import SIZE, down, tripled


def test_all() -> None:
    assert (SIZE, tripled(2), tripled(0)) == (8, 6, 0)
    with pytest.raises(ValueError):
        tripled(-1)


def test_down() -> None:
    assert down(3) == 0


def test_there_is_one_copy_of_the_code() -> None:
    assert sum(range(10**6)) > 0  # long, so that the doctest is collected first
    assert toy.same(2) == 2
    assert toy.same.__globals__ is sys.modules["toy.code"].__dict__
"""
RUN = """import sys
from pathlib import Path
from tests.mutation.mutate import main
from tests.mutation.suite import Project

project = Project(Path(sys.argv[1]), "toy", ("toy/code.py",), ("checks",), ("checks", "toy/code.py"))
main(sys.argv[2:], project=project)
"""


def command(root: Path, *arguments: str) -> list[str]:
    (root / "toy").mkdir(exist_ok=True)
    (root / "checks").mkdir(exist_ok=True)
    (root / "toy" / "__init__.py").write_text("from toy.code import same as same\n")
    (root / "toy" / "code.py").write_text(CODE)
    (root / "checks" / "test_code.py").write_text(TESTS)
    return [sys.executable, "-c", RUN, str(root), *arguments]


def run(root: Path, *arguments: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(root)}
    done = subprocess.run(
        command(root, *arguments), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_every_state_is_told_and_a_stopped_run_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command(tmp_path), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        started = [first.stdout.readline() for _ in range(3)]
        first.send_signal(signal.SIGKILL)
    lines = run(tmp_path, "--workers", "2")
    counts = lines[-2].split()  # the table: a line for the room, one for all
    total = len(list(generate("toy/code.py", CODE)))
    ended = [line for line in lines if line.split("  ")[0] in ("killed", "survived", "broken", "timed out")]
    assert total - 4 <= len(ended) <= total - len(started)  # one may have been recorded and not yet printed
    expected = {
        "SIZE = (8,)[0]` → `SIZE = (8,)[1]": "broken",
        "return 3 * x` → `return 3 / x": "killed",
        "n -= 1` → `n += 1": "timed out",
    }
    by_job = {item.job_id: described(CODE, item.mutations[0]) for item in generate("toy/code.py", CODE)}
    for line in [*started, *ended]:
        state, where, _ = (each.strip() for each in f"{line}  ".split("  ", 2))
        for text, wanted in expected.items():
            if text in by_job[where.split()[1]]:
                assert state == wanted, line
    survivors = {line.split(": ", 1)[1].split("  [")[0] for line in lines if line.startswith("toy/code.py:")}
    assert survivors == {
        "same: `return max(x, x)` → `return min(x, x)`",
        "unreached: `return x + x` → `return x - x`",
    }
    killed, timed_out, broken = (int(counts[i]) for i in (2, 3, 4))
    assert (broken, killed + timed_out) == (1, total - 3)
    assert timed_out >= 1
    assert not [line for line in run(tmp_path) if line.startswith("killed")], "nothing was left to do"


def test_each_mutant_is_one_change_that_compiles_and_none_says_the_same() -> None:
    items = list(generate("toy/code.py", CODE))
    texts = [described(CODE, item.mutations[0]) for item in items]
    assert len(set(texts)) == len(texts)
    assert not any("Docstrings" in text or "is no count" in text for text in texts)
    assert {
        "tripled: `if x < 0:` → `if not (x < 0):`",
        "module: `SIZE = (8,)[0]` → `SIZE = (9,)[0]`",
    } <= set(texts)
    assert {item.mutations[0].operator_name for item in items} <= set(OPERATORS)
    chained = [described(s, i.mutations[0]) for s in ["y = a < b < c\n"] for i in generate("f.py", s)]
    assert chained == [
        "module: `y = a < b < c` → `y = a <= b < c`",
        "module: `y = a < b < c` → `y = a < b <= c`",
    ]


@pytest.mark.parametrize(
    ("text", "lines", "at_import"),
    [("SIZE", [3], True), ("if x < 0", [7], False), ("def down", [12], True), ("n -= 1", [14], False)],
)
def test_the_statement_of_a_line(text: str, lines: list[int], at_import: bool) -> None:
    line = next(i for i, each in enumerate(CODE.splitlines(), 1) if text in each)
    found, imported = statement(CODE, line)
    assert (list(found), imported) == (lines, at_import)


def test_listed_mutants_are_read_from_the_page() -> None:
    text = "## `a/b.py`\n\n- f: `x < 1` → `x <= 1`: because.\n## `c.py`\n- f: `y` → `z`, g.\n"
    assert listed(text) == {("a/b.py", "f: `x < 1` → `x <= 1`"), ("c.py", "f: `y` → `z`")}
