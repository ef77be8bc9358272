"""Mutation testing of geometry, attention, bounds and verify: ``python -m tests.mutation.mutate [FILE ...]``.

Cosmic-ray makes the mutants (``mutants.py``) and keeps the record: a session a version of a file, in
``build/mutation``, so that a run that was killed goes on where it was, and a file that changed is run anew,
alone. The mutants are run here (``suite.py``) and not by cosmic-ray's own command, which would start Python,
NumPy and torch for every one: a process that has imported them forks for each mutant, into a copy of the
tree, and runs only the tests that reach the changed lines, those first that are likely to fail soon.

A mutant is *killed* when a test fails, or *timed out* when one takes ten times its processor time; *broken*
if the package or a test cannot even be imported, which shows little; else it *survived*, and needs a new
test or a place in ``mutants.md`` with the reason why nobody can tell it from the original.
Not run against it: the tests on the kept figures of ``python -m attnclust.testing``, which the code made
itself; and the check of types and shapes, which would kill for the annotation and not for the result.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

from tests.mutation.mutants import described, mutate, record, statement
from tests.mutation.suite import BROKEN, FAILED, PASSED, PATIENCE, Map, Project, fork, judge, survey

ROOT = Path(__file__).parents[2]
THEORY = Project(
    root=ROOT,
    package="attnclust",
    sources=("attnclust/verify.py", "attnclust/attention", "attnclust/bounds", "attnclust/geometry"),
    copied=("tests/theory", "tests/simulator", "tests/conftest.py", "pyproject.toml"),
    tests=(
        "tests/theory",
        "tests/simulator",
        "attnclust/verify.py",
        "attnclust/attention",
        "attnclust/bounds",
        "attnclust/geometry",
        "--ignore=tests/theory/test_evidence.py",
    ),
    warm=(
        "array_api_compat.numpy",
        "array_api_compat.torch",
        "array_api_strict",
        "hypothesis.strategies",
        "jaxtyping",
        "scipy.optimize",
        "scipy.spatial.distance",
        "scipy.stats",
        "sklearn.cluster",
        "timm",
        "torchvision",
    ),
)
LISTED = Path(__file__).parent / "mutants.md"
SPARE_MEMORY = 4 * 2**30
"""A mutant that asks for more bytes than this meets a MemoryError."""


@dataclass
class Runner:
    """Runs mutants in copies of the tree, some at a time."""

    project: Project
    folder: Path
    clean: Path
    """A copy of the tree that stays as it is: what the run is about, whatever happens to the tree."""
    slots: list[Path]
    tests: Map
    tries: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    kills: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def open(cls, project: Project, folder: Path, scratch: Path, workers: int) -> Runner:
        """Copy the tree, run all tests once, and copy what that made ready.

        Raises:
            SystemExit: the tests fail without a mutant.
        """
        os.environ.update(HYPOTHESIS_PROFILE="mutation", OMP_NUM_THREADS="1")
        os.environ.setdefault("ATTNCLUST_DATA", str(project.root.parent / "shared" / "data"))
        for name in project.warm:
            importlib.import_module(name)
        first = project.copy(scratch / "0")
        child = fork(project, first, keep_bytecode=True, work=lambda: survey(project, first))
        if os.waitpid(child, 0)[1] != 0:
            raise SystemExit((first / "output.txt").read_text() + "\nthe tests fail without a mutant")
        found = json.loads((first / "map.json").read_text())
        clean = shutil.copytree(first, scratch / "clean")
        slots = [first, *(shutil.copytree(first, scratch / str(i)) for i in range(1, workers))]
        return cls(project, folder, clean, slots, Map(**found))

    def order(self, file: str, source: str, line: int) -> list[str]:
        """The tests to run, by the time they cost over the chance that they fail, as the file's mutants so
        far show it.
        """
        lines, at_import = statement(source, line)
        chosen = self.tests.tests(file, lines, at_import=at_import)

        def cost(test: str) -> float:
            tries, kills = self.tries[file, test], self.kills[file, test]
            return (self.tests.seconds[test] + 0.005) * (tries + 2) / (kills + 0.2)

        return sorted(chosen, key=cost)

    def start(self, slot: Path, file: str, source: str, item: WorkItem) -> tuple[int, list[str]]:
        spec = item.mutations[0]
        order = self.order(file, source, spec.start_pos[0])
        limits = {name: 2 + PATIENCE * seconds for name, seconds in self.tests.seconds.items()}
        target = slot / file
        target.write_text(mutate(source, spec), encoding="utf-8")
        os.utime(target, (1, 1))  # no kept bytecode is this old
        (slot / "result.json").unlink(missing_ok=True)

        def work() -> int:
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + SPARE_MEMORY, used + SPARE_MEMORY))
            return judge(self.project.package, slot, order, limits)

        if not order:
            work = lambda: PASSED  # noqa: E731
        return fork(self.project, slot, keep_bytecode=False, work=work), order

    def finish(self, slot: Path, file: str, order: list[str], status: int) -> WorkResult:
        """The state of a mutant from how its process ended."""
        found = slot / "result.json"
        failed = json.loads(found.read_text())["failed"] if found.exists() else None
        if failed in order:
            for test in order[: order.index(failed) + 1]:
                self.tries[file, test] += 1
            self.kills[file, failed] += 1
        normal, code = WorkerOutcome.NORMAL, os.waitstatus_to_exitcode(status)
        if code == PASSED:
            return WorkResult(normal, f"{len(order)} tests passed", TestOutcome.SURVIVED)
        if code == FAILED:
            return WorkResult(normal, failed, TestOutcome.KILLED)
        if code == -signal.SIGPROF:
            return WorkResult(normal, "timeout", TestOutcome.KILLED)
        if code < 0:
            return WorkResult(WorkerOutcome.ABNORMAL, signal.Signals(-code).name, TestOutcome.KILLED)
        assert code == BROKEN, code
        return WorkResult(normal, (slot / "output.txt").read_text()[-4000:], TestOutcome.INCOMPETENT)

    def run(
        self, file: str, *, again: bool, without: set[tuple[str, str]]
    ) -> Iterator[tuple[WorkItem, WorkResult]]:
        """Run what a file's record leaves open, with `again` also what was not killed."""
        source = (self.clean / file).read_text(encoding="utf-8")
        database = record(self.folder, file, source)
        todo = list(database.pending_work_items)
        if again:
            todo += [i for i, r in database.completed_work_items if r.test_outcome != TestOutcome.KILLED]
        todo = [item for item in todo if (file, described(source, item.mutations[0])) not in without]
        todo.sort(key=lambda item: item.mutations[0].start_pos, reverse=True)
        free, busy = list(self.slots), {}
        while todo or busy:
            while todo and free:
                slot, item = free.pop(), todo.pop()
                child, order = self.start(slot, file, source, item)
                busy[child] = slot, item, order
            child, status = os.wait()
            slot, item, order = busy.pop(child)
            result = self.finish(slot, file, order, status)
            database.set_result(item.job_id, result)
            free.append(slot)
            yield item, result
        for slot in self.slots:
            shutil.copy2(self.clean / file, slot / file)
        database.close()


def state(result: WorkResult | None) -> str:
    if result is None:
        return "not run"
    if result.test_outcome == TestOutcome.INCOMPETENT:
        return "broken"
    if result.test_outcome == TestOutcome.SURVIVED:
        return "survived"
    return "timed out" if result.output == "timeout" else "killed"


def listed(text: str) -> set[tuple[str, str]]:
    """(file, mutant) of every item that `mutants.md` shows equivalent."""
    file, found = "", set()
    for line in text.splitlines():
        if heading := re.match(r"#+ `(.+)`", line):
            file = heading[1]
        elif item := re.match(r"- (\S+: `.+?` → `.+?`)", line):
            found.add((file, item[1]))
    return found


def report(project: Project, folder: Path, files: list[str], known: set[tuple[str, str]]) -> None:
    """Print what the record says of the present sources: survivors, then a table by room."""
    states = ("killed", "timed out", "broken", "equivalent", "left out", "survived", "not run")
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for file in files:
        source = (project.root / file).read_text(encoding="utf-8")
        database = record(folder, file, source)
        results: dict[Any, WorkResult] = dict(database.results)
        room = file.removeprefix(project.package + "/").split("/")[0]
        for item in sorted(database.work_items, key=lambda item: item.mutations[0].start_pos):
            spec, end = item.mutations[0], state(results.get(item.job_id))
            if end in ("survived", "not run"):
                text = described(source, spec)
                if (file, text) in known:
                    end = "equivalent" if end == "survived" else "left out"
                elif end == "survived":
                    print(f"{file}:{spec.start_pos[0]}: {text}  [{results[item.job_id].output}]")
            table[room][end] += 1
            table["all"][end] += 1
        database.close()
    print(f"{'':12}" + "".join(f"{name:>12}" for name in ("mutants", *states)))
    for room, counts in sorted(table.items(), key=lambda each: each[0] == "all"):
        print(f"{room:12}" + "".join(f"{n:12}" for n in (counts.total(), *(counts[name] for name in states))))


def main(arguments: list[str] | None = None, *, project: Project = THEORY) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.mutate", description=__doc__)
    parser.add_argument(
        "files", nargs="*", help="only sources whose path contains one of these, in this order"
    )
    parser.add_argument("--workers", type=int, default=1, help="mutants to run at a time")
    parser.add_argument(
        "--again", action="store_true", help="run what was not killed again, against the present tests"
    )
    parser.add_argument(
        "--unlisted", action="store_true", help="leave out what mutants.md shows equivalent: half of the time"
    )
    parser.add_argument("--report", action="store_true", help="run nothing, print what the record says")
    parser.add_argument("--record", type=Path, help="where the record lies; default: build/mutation")
    options = parser.parse_args(arguments)
    every = project.files()
    files = list(dict.fromkeys(file for part in options.files or [""] for file in every if part in file))
    known = listed(LISTED.read_text(encoding="utf-8"))
    folder = options.record or project.root / "build" / "mutation"
    if not options.report:
        with tempfile.TemporaryDirectory() as scratch:
            runner = Runner.open(project, folder, Path(scratch), options.workers)
            for file in files:
                for item, result in runner.run(
                    file, again=options.again, without=known if options.unlisted else set()
                ):
                    spec = item.mutations[0]
                    where = f"{file}:{spec.start_pos[0]} {item.job_id}"
                    last = (result.output or "").strip().rsplit("\n")[-1]
                    print(f"{state(result)}  {where}  {last}", flush=True)
    report(project, folder, files, known)


if __name__ == "__main__":
    main(sys.argv[1:])
