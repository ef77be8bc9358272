"""The page of a study: reads records, measures nothing, needs no torch.

:func:`build_page` turns the folder of a study into one self-contained page, :func:`compare_studies` lays
several studies side by side. ``python -m attnclust.report`` runs the study first.
"""

from attnclust.report._compare import compare_studies
from attnclust.report._page import build_page

__all__ = ["build_page", "compare_studies"]
