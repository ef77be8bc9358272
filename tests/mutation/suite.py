"""Pytest in a forked child of a process that has imported the slow libraries, but nothing of the package.

A child sees one copy of the tree. It leaves a JSON file with what it found, and tells by its exit status how
it ended. Limits are in processor time, so that a process that is stopped for a while loses nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import coverage
import pytest

PATIENCE = 10
"""A test may take so many times as long as it does without a mutant, and two seconds."""
PASSED, FAILED, BROKEN = 0, 1, 3


@dataclass(frozen=True)
class Project:
    """What is mutated, and what is run against it."""

    root: Path
    package: str
    sources: tuple[str, ...]
    """Folders and files whose code is mutated."""
    copied: tuple[str, ...]
    """What a copy of the tree holds, beside the package."""
    tests: tuple[str, ...]
    """Arguments of pytest that name all tests."""
    warm: tuple[str, ...] = ()
    """Modules to import once, before forking."""

    def files(self) -> list[str]:
        """Every source, in the order of `sources`."""
        return [
            str(file.relative_to(self.root))
            for name in self.sources
            for file in (sorted((self.root / name).rglob("*.py")) or [self.root / name])
        ]

    def copy(self, folder: Path) -> Path:
        for name in (self.package, *self.copied):
            source, target = self.root / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        return folder


def fork(project: Project, slot: Path, *, keep_bytecode: bool, work: Callable[[], int]) -> int:
    """Run `work` in a child that imports the package from `slot`; returns the child's process id."""
    child = os.fork()
    if child:
        return child
    status = BROKEN
    try:
        os.chdir(slot)
        log = os.open(slot / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for name in [each for each in sys.modules if each.split(".")[0] in ("tests", project.package)]:
            del sys.modules[name]
        sys.path[:] = [str(slot), *(each for each in sys.path if Path(each or ".").resolve() != project.root)]
        os.environ.update(PYTHONPATH=str(slot), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        sys.dont_write_bytecode = not keep_bytecode
        status = work()
        imported = (
            Path(sys.modules[project.package].__file__ or "") if project.package in sys.modules else slot
        )
        if not imported.is_relative_to(slot):
            status = BROKEN
            print(f"not the mutated package: {imported}")
    finally:
        sys.stdout.flush()
        os._exit(status)


class Plugin:
    """Chooses and orders tests, limits each one's processor time, and notes who failed."""

    def __init__(self, order: dict[str, int] | None, limits: dict[str, float]) -> None:
        self.order, self.limits = order, limits
        self.failed: str | None = None
        self.seconds: dict[str, float] = {}
        self.coverage: coverage.Coverage | None = None
        self.items: list[pytest.Item] = []
        self.shared: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        order = self.order
        if order is not None:
            items[:] = sorted((i for i in items if i.nodeid in order), key=lambda i: order[i.nodeid])
        self.items = items

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if self.coverage is not None:
            self.coverage.switch_context(item.nodeid)
        limit = self.limits.get(item.nodeid)
        # Unless it is handled, SIGPROF ends the process: also one that loops inside compiled code.
        signal.setitimer(signal.ITIMER_PROF, 0 if limit is None else limit)
        started = time.process_time()
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self.seconds[item.nodeid] = time.process_time() - started

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
        """What a fixture shared by several tests costs and runs belongs to all of them, not to the first."""
        if self.coverage is None or fixturedef.scope == "function":
            return (yield)
        started = time.process_time()
        self.coverage.switch_context(f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            self.shared[fixturedef.argname] = time.process_time() - started
            self.coverage.switch_context(os.environ["PYTEST_CURRENT_TEST"].rsplit(" (", 1)[0])

    def users(self, context: str) -> list[str]:
        """The tests that a context of coverage stands for."""
        kind, _, name = context.partition(" ")
        if kind != "fixture":
            return [context]
        return [item.nodeid for item in self.items if name in getattr(item, "fixturenames", ())]

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid
            if self.order is not None:
                self.session.shouldstop = "a test failed"


ARGUMENTS = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib", "--doctest-modules"]
ARGUMENTS += ["-m", "not gpu", "--tb=line", "--no-header"]


FIRST = 6
"""So many tests are run before the files of the others are even collected: they mostly suffice."""


def judge(package: str, slot: Path, order: list[str], limits: dict[str, float]) -> int:
    """Run some tests in this order up to the first that fails."""
    # Pytest would give a source whose doctests it collects first a second copy, beside the package's own.
    for file in dict.fromkeys(name.split("::")[0] for name in order):
        if file.startswith(f"{package}/"):
            with suppress(Exception):  # a mutant that cannot be imported: pytest will say so
                importlib.import_module(file.removesuffix(".py").replace("/", "."))
    run, complete, failed = 0, True, None
    for some in (order[:FIRST], order[FIRST:]):
        if not some or failed is not None:
            continue
        signal.setitimer(signal.ITIMER_PROF, PATIENCE * limits[""])
        plugin = Plugin({name: i for i, name in enumerate(some)}, limits)
        files = dict.fromkeys(each.split("::")[0] for each in some)
        # Not -x: a test file that meets the mutant while it is imported must not hide the others' tests.
        code = pytest.main([*ARGUMENTS, "--continue-on-collection-errors", *files], plugins=[plugin])
        run, failed = run + len(plugin.seconds), plugin.failed
        complete &= code == pytest.ExitCode.OK and len(plugin.seconds) == len(some)
    signal.setitimer(signal.ITIMER_PROF, 0)
    (slot / "result.json").write_text(json.dumps({"failed": failed, "run": run}))
    if failed is not None:
        return FAILED
    return PASSED if complete else BROKEN


@dataclass
class Map:
    """Which tests run which lines, and how long they take, without a mutant."""

    seconds: dict[str, float]
    lines: dict[str, dict[str, list[str]]]
    """By file and line; the test "" is the import."""

    def tests(self, file: str, lines: range, *, at_import: bool) -> list[str]:
        """The tests that run one of the lines; all tests, those of the file first, for what is run at
        import.
        """
        known = self.lines.get(file, {})
        of_file = dict.fromkeys(test for tests in known.values() for test in tests if test)
        if at_import:
            return list(of_file) + [each for each in self.seconds if each and each not in of_file]
        return [each for each in of_file if any(each in known.get(str(line), ()) for line in lines)]


def survey(project: Project, slot: Path) -> int:
    """Run every test once with coverage by test, and keep the map."""
    plugin = Plugin(None, {})
    measured = [
        f"{slot / each}/*" if (slot / each).is_dir() else str(slot / each) for each in project.sources
    ]
    plugin.coverage = coverage.Coverage(data_file=None, include=measured)
    started = time.process_time()
    plugin.coverage.start()
    code = pytest.main([*ARGUMENTS, *project.tests], plugins=[plugin])
    plugin.coverage.stop()
    rest = time.process_time() - started - sum(plugin.seconds.values())
    for name, seconds in plugin.shared.items():
        for test in plugin.users(f"fixture {name}"):
            plugin.seconds[test] += seconds
    lines = {}
    for file in project.files():
        contexts = plugin.coverage.get_data().contexts_by_lineno(str(slot / file))
        lines[file] = {
            line: [u for each in who for u in plugin.users(each)] for line, who in contexts.items()
        }
    (slot / "map.json").write_text(json.dumps({"seconds": {"": rest, **plugin.seconds}, "lines": lines}))
    return PASSED if code == pytest.ExitCode.OK else FAILED
