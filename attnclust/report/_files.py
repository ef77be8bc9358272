"""Files beside the page: written whole or not at all; vector figures and tables for papers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from attnclust.plots import to_pdf
from attnclust.report._figures import CSV_ADDRESS, Gallery

PAGE = "index.html"
FIGURES = "figures"
EXPORT = "export"
_UNSAFE = re.compile(r"[^a-z0-9_-]+")


def write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = file.with_name(file.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, file)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files; those of the same kinds that an earlier page left there and this one has not, go."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.suffix in (".svg", ".png", ".pdf", ".csv") and old.name not in files:
            old.unlink()
    for name, content in files.items():
        write(folder / name, content)


def for_papers(gallery: Gallery, page: str) -> dict[str, bytes]:
    """Every figure as PDF and SVG (pictures as PNG), and every table that the page offers to save as CSV."""
    figures = {f"{name}.pdf": to_pdf(figure, name=name) for name, figure in gallery.drawn.items()}
    links = _Links()
    links.feed(page)
    tables: dict[str, bytes] = {}
    for name, content in links.found:
        stem = _UNSAFE.sub("-", name.removesuffix(".csv").lower()).strip("-") or "table"
        alike = sum(other.rstrip("+") == stem for other in tables)
        tables[stem + alike * "+"] = content
    return {**gallery.files, **figures, **{f"{name}.csv": content for name, content in tables.items()}}


class _Links(HTMLParser):
    """The CSV files that a page offers, as (name, content)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, bytes]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get("href") or ""
        if tag == "a" and address.startswith(CSV_ADDRESS):
            text = unquote(address.removeprefix(CSV_ADDRESS))
            self.found.append((given.get("download") or "", text.encode()))
