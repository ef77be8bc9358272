"""From a folder of records to one page."""

from __future__ import annotations

import os
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from attnclust.report._behaviour import behaviour
from attnclust.report._claims import ledger
from attnclust.report._figures import Gallery
from attnclust.report._inside import inside
from attnclust.report._math import display, math
from attnclust.report._methods import methods
from attnclust.report._neurons import neurons
from attnclust.report._opening import opening
from attnclust.report._pictures import pictures
from attnclust.report._simulator import simulator
from attnclust.report._study import open_study
from attnclust.report._theory import rungs

PAGE = "index.html"
FIGURES = "figures"


def build_page(folder: Path) -> Path:
    """Write a study's page beside its records: ``index.html``, self-contained, and ``figures/``.

    The page reads ``results.json`` and those Parquet tables of :data:`attnclust.records.TABLES` that are
    there, and measures nothing. A section without records is absent. The same records give the same bytes.
    Pictures in ``figures/`` that an earlier page drew and this one does not are removed.

    Args:
        folder: the folder of a finished study.

    Returns:
        The page's path.

    Raises:
        ArgumentError: the folder holds no ``results.json``.

    >>> import tempfile
    >>> from attnclust.records import write_json
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_json(folder / "results.json", {"provenance": {"data": "scenes"}})
    >>> build_page(folder).name
    'index.html'
    """
    study = open_study(folder)
    gallery = Gallery()
    within, claims = inside(study, gallery), ledger(study)
    page = (
        _environment()
        .get_template("page.html")
        .render(
            opening=opening(study, within, claims),
            theory=rungs(study),
            simulator=simulator(study, gallery),
            inside=within,
            neurons=neurons(study, gallery),
            behaviour=behaviour(study, gallery),
            pictures=pictures(study, gallery),
            ledger=claims,
            methods=methods(study),
            has_twin=study.has_twin,
        )
    )
    _write_figures(folder / FIGURES, gallery.files)
    _write(folder / PAGE, page.encode())
    return folder / PAGE


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("attnclust.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(math=math, display=display)
    return made


def _write_figures(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.suffix in (".svg", ".png") and old.name not in files:
            old.unlink()
    for name, content in files.items():
        _write(folder / name, content)


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = file.with_name(file.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, file)
