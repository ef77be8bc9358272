"""From a folder of records to one page."""

from __future__ import annotations

from pathlib import Path

from attnclust.report._behaviour import behaviour
from attnclust.report._claims import ledger
from attnclust.report._figures import Gallery
from attnclust.report._files import EXPORT, FIGURES, PAGE, for_papers, write, write_folder
from attnclust.report._inside import inside
from attnclust.report._methods import methods
from attnclust.report._neurons import neurons
from attnclust.report._opening import opening
from attnclust.report._pictures import pictures
from attnclust.report._simulator import simulator
from attnclust.report._study import open_study
from attnclust.report._templates import render
from attnclust.report._theory import rungs

SUMMARY = "report.md"


def build_page(folder: Path, *, export: bool = False) -> Path:
    """Write a study's page beside its records.

    ``index.html`` is self-contained, ``report.md`` its summary for a pull request, ``figures/`` its pictures.

    The page reads ``results.json`` and those Parquet tables of :data:`attnclust.records.TABLES` that are
    there, and measures nothing. A section without records is absent. The same records give the same bytes.
    Pictures in ``figures/`` that an earlier page drew and this one does not are removed.

    Args:
        folder: the folder of a finished study.
        export: write ``export/`` as well: every figure as PDF and SVG, every table of the page as CSV.

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
    card, how = opening(study, within, claims), methods(study)
    page = render(
        "page.html",
        opening=card,
        theory=rungs(study),
        simulator=simulator(study, gallery),
        inside=within,
        neurons=neurons(study, gallery),
        behaviour=behaviour(study, gallery),
        pictures=pictures(study, gallery),
        ledger=claims,
        methods=how,
        has_twin=study.has_twin,
    )
    write_folder(folder / FIGURES, gallery.files)
    if export:
        write_folder(folder / EXPORT, for_papers(gallery, page))
    write(folder / SUMMARY, render("report.md", opening=card, ledger=claims, methods=how).encode())
    write(folder / PAGE, page.encode())
    return folder / PAGE
