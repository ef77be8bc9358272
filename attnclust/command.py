"""The command line that ``python -m attnclust.study`` and ``python -m attnclust.report`` share."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.data.conditions import ALL_CONDITIONS, DEFAULT_CONDITIONS, parse_condition
from attnclust.records import read_results

OK, VIOLATED, WRONG_USE = 0, 1, 2


def parser(program: str, description: str, *, report: bool) -> argparse.ArgumentParser:
    """Build the parser; ``report`` adds the options that only a page has."""
    made = argparse.ArgumentParser(prog=program, description=description)
    made.add_argument(
        "--model",
        default="attnclust_student",
        help="the embedded model, or any timm vision transformer by name",
    )
    weights = made.add_mutually_exclusive_group()
    weights.add_argument("--checkpoint", type=Path, help="a file with the model's weights")
    weights.add_argument(
        "--pretrained", action="store_true", help="let timm download the weights it publishes"
    )
    weights.add_argument("--random-weights", action="store_true", help="measure the model untrained")
    made.add_argument(
        "--data",
        default="scenes",
        help="'scenes' (made on the fly), or a folder or tar in Pascal VOC layout; "
        "python -m attnclust.data 2009 downloads the paper's",
    )
    made.add_argument(
        "--conditions",
        default="default",
        help=f"with commas: 'default' ({', '.join(DEFAULT_CONDITIONS)}), 'all' ({len(ALL_CONDITIONS)}), and "
        "any shuffle-G, random-R, salient-R, non-salient-R, noise-R besides",
    )
    made.add_argument("--protocol", default="official", choices=("official", "paper", "blind"))
    made.add_argument(
        "--image",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="your own photographs, for the views of neurons",
    )
    made.add_argument("--mosaic", action="store_true", help="join the four photographs of --image into one")
    made.add_argument(
        "--limit", type=int, help="stop after so many images that pass the selection (scenes: 32)"
    )
    made.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    made.add_argument("--seed", type=int, default=0)
    made.add_argument(
        "--output", type=Path, help="folder to write; default: one under reports/, named after the study"
    )
    made.add_argument(
        "--strict",
        action="store_true",
        help="exit 1 also if a section could not be measured; name claims that were not",
    )
    if report:
        instead = made.add_mutually_exclusive_group()
        instead.add_argument(
            "--from", dest="source", type=Path, help="render the page of this study again; measures nothing"
        )
        instead.add_argument(
            "--compare",
            type=Path,
            nargs="+",
            action="extend",
            metavar="DIR",
            help="lay two or more finished studies side by side; measures nothing",
        )
        made.add_argument(
            "--export",
            action="store_true",
            help="write export/ too: every figure as PDF and SVG, every table as CSV",
        )
    return made


def run(options: argparse.Namespace, finish: Callable[[Sequence[Path]], Path]) -> int:
    """Do what the options say, and print what ``finish`` writes; the exit status.

    Args:
        options: as :func:`parser` reads them.
        finish: gets the folders of finished studies, one unless ``--compare`` names more, and returns the
            path of what it wrote.
    """
    logging.basicConfig(stream=sys.stderr, format="attnclust: %(message)s")
    # Only our own voice: the libraries below speak when something is wrong.
    logging.getLogger("attnclust").setLevel(logging.INFO)
    try:
        folders = _folders(options)
        results = [read_results(folder) for folder in folders]
        written = finish(folders)
    except (ArgumentError, ArgumentTypeError) as error:
        print(f"attnclust: {error}", file=sys.stderr)
        return WRONG_USE
    print(written)
    return max(_status(result, strict=options.strict) for result in results)


def _folders(options: argparse.Namespace) -> list[Path]:
    """The studies that were named, or the one that is measured now."""
    if compared := getattr(options, "compare", None):
        return compared
    source = getattr(options, "source", None)
    if source is None:
        return [_measure(options)]
    if options.output is not None:
        remedy = "Copy the folder first if the page is to lie elsewhere."
        raise ArgumentError("--output", "must not go with --from", str(options.output), remedy)
    return [source]


def conditions(names: str) -> tuple[str, ...]:
    """Read the value of ``--conditions``.

    >>> conditions("clean, shuffle-4")
    ('clean', 'shuffle-4')
    >>> len(conditions("all, shuffle-4, random-0.5"))
    19
    """
    groups = {"default": DEFAULT_CONDITIONS, "all": ALL_CONDITIONS}
    listed = [name.strip() for name in names.split(",")]
    return tuple(
        dict.fromkeys(
            condition for name in listed for condition in groups.get(name) or [parse_condition(name).name]
        )
    )


def _measure(options: argparse.Namespace) -> Path:
    if options.limit is not None and options.limit < 1:
        raise ArgumentError("--limit", "must be at least 1", options.limit, "Leave it out for all images.")
    chosen = conditions(options.conditions)
    # Only now: a wrong word should not have to wait for torch.
    import torch

    from attnclust.study import Settings, run_study

    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = Settings(
        model=options.model,
        checkpoint=options.checkpoint,
        pretrained=options.pretrained,
        random_weights=options.random_weights,
        data=options.data,
        conditions=chosen,
        protocol=options.protocol,
        images=tuple(options.image),
        mosaic=options.mosaic,
        limit=options.limit,
        device=device,
        seed=options.seed,
    )
    folder = run_study(settings, output=options.output)
    if options.output is None:
        _point_to(folder)
    return folder


def _point_to(folder: Path) -> None:
    """Let ``reports/latest`` lead to the newest report."""
    link = folder.parent / "latest"
    fresh = folder.parent / ".latest"
    fresh.unlink(missing_ok=True)
    try:
        fresh.symlink_to(folder.name, target_is_directory=True)
        os.replace(fresh, link)
    except OSError as error:  # file systems without symbolic links
        logging.getLogger("attnclust").warning("reports/latest could not be made: %s", error)


def _status(results: Mapping[str, Any], *, strict: bool) -> int:
    if broken := violations(results):
        print(f"attnclust: a theorem is violated in {broken} steps: see the report", file=sys.stderr)
        return VIOLATED
    if not strict:
        return OK
    for line in _unmeasured(results):
        print(f"attnclust: {line}", file=sys.stderr)
    if missing := [name for name in ("theory", "layers", "metrics", "claims") if not results.get(name)]:
        print(f"attnclust: not measured: {', '.join(missing)}", file=sys.stderr)
        return VIOLATED
    return OK


def violations(results: Mapping[str, Any]) -> int:
    """How many steps of a study break a theorem, over both forms and both subjects, and in simulations."""
    parts = [part for part in (results, results.get("random_twin")) if part]
    steps = [form for part in parts for form in ((part.get("layers") or {}).get("steps") or {}).values()]
    simulated = [
        rung["violations"] for form in (results.get("simulator") or {}).values() for rung in form.values()
    ]
    found = sum(count for form in steps for count in (form.get("violations") or {}).values())
    return found + sum(simulated)


def _unmeasured(results: Mapping[str, Any]) -> Sequence[str]:
    """Claims, or parts of them, that came out as not measured, each with the reason, and what to do about it.

    No failure: a study is free to ask for fewer conditions than all claims need.
    """
    silent = [claim for claim in results.get("claims") or [] if claim["verdict"] == "not measured"]
    lines = [
        f"claim {claim['id']}: {claim.get('sentence') or 'not measured'}"
        for claim in silent
        # A claim repeats what its parts say.
        if not any(part["id"].startswith(f"{claim['id']}.") for part in silent)
    ]
    run = ((results.get("provenance") or {}).get("settings") or {}).get("conditions") or []
    if lines and not set(ALL_CONDITIONS) <= set(run):
        lines.append("claims that need conditions which were not run: measure them with --conditions all")
    return lines
