"""Mutation testing of geometry, attention, bounds and verify: ``python tests/theory/mutate.py [--sample
N] [--seed N]``.

Each mutant is one small change (an operator, a comparison, a constant, min for max) in a copy of the
package outside the working tree; it is killed if the suite fails. One process; survivors are printed as
a diff line, to be shown equivalent in ``mutants.md`` or killed by a new test. Without ``--sample`` all
mutants are run, which takes hours.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TARGETS = ("geometry", "attention", "bounds", "verify.py")
SUITE = ("ladder", "attention", "laws", "geometry", "tight", "refusals", "holds", "necessary")
SWAPS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
}
NAMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "argmin": "argmax",
    "argmax": "argmin",
}


def variants(node: ast.AST) -> Iterator[tuple[str, object]]:
    """(attribute, new value) for each small change of one node."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield "op", SWAPS[type(node.op)]()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield "op", ast.Mult()
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield "ops", [SWAPS[type(node.ops[0])](), *node.ops[1:]]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "value", not node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield "value", node.value + 1
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield "attr", NAMES[node.attr]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "op", ast.UAdd()
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "operand", ast.UnaryOp(ast.Not(), node.operand)


def mutants(path: Path) -> Iterator[tuple[str, str]]:
    """(description, source) of every mutant of a file, messages of errors left alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    silent = {
        id(inner) for node in nodes if isinstance(node, ast.Raise | ast.JoinedStr) for inner in ast.walk(node)
    }
    for i, node in enumerate(nodes):
        if id(node) in silent:
            continue
        for attribute, value in variants(node):
            twin = copy.deepcopy(tree)
            target = list(ast.walk(twin))[i]
            setattr(target, attribute, value)
            before, after = (ast.unparse(each).split("\n")[0] for each in (node, target))
            if before != after:
                line = getattr(node, "lineno", 0)
                yield (
                    f"{path.name}:{line}: {before}  ->  {after}",
                    ast.unparse(ast.fix_missing_locations(twin)),
                )


def survives(package: Path, suite: list[str]) -> bool:
    environment = {**os.environ, "PYTHONPATH": str(package), "CI": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=", *suite]
    command += ["--import-mode=importlib", "--no-header", "--tb=no"]
    try:
        done = subprocess.run(command, cwd=package, env=environment, capture_output=True, timeout=600)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=None, help="run so many mutants, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only files whose path contains this")
    options = parser.parse_args()
    files = [
        file
        for name in TARGETS
        for file in (sorted((ROOT / "attnclust" / name).rglob("*.py")) or [ROOT / "attnclust" / name])
        if options.only in str(file)
    ]
    every = [(file, *mutant) for file in files for mutant in mutants(file)]
    chosen = every
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(every, min(options.sample, len(every)))
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder)
        for name in ("attnclust", "tests/theory"):
            shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("tests/conftest.py", "pyproject.toml"):
            shutil.copy(ROOT / name, copied / name)
        suite = [f"tests/theory/test_{name}.py" for name in SUITE]
        if not survives(copied, suite):
            raise SystemExit("the suite fails without any mutation")
        for done, (file, description, source) in enumerate(chosen, 1):
            target = copied / file.relative_to(ROOT)
            original = target.read_text(encoding="utf-8")
            target.write_text(source, encoding="utf-8")
            alive = survives(copied, suite)
            target.write_text(original, encoding="utf-8")
            survivors += alive
            print(f"{done}/{len(chosen)} {'SURVIVED' if alive else 'killed'}  {description}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} killed; {len(every)} mutants in all")


if __name__ == "__main__":
    main()
