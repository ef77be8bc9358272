"""The page as tests see it: elements, attributes and text, read by Python's own parser."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

VOID = {"meta", "img", "br", "mspace", "use", "link", "input", "hr"}


class Page(HTMLParser):
    """All elements in order, and the text by the id of the nearest element that has one."""

    def __init__(self, file: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = file.read_text("utf-8")
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.unbalanced: list[str] = []
        self.words: list[str] = []
        self.by_section: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        above = self._open[-1][1] if self._open else ""
        if tag not in VOID:
            self._open.append((tag, attributes.get("id", above) if tag in ("section", "header") else above))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop()[0] != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] == "style":
            return
        self.words.append(data)
        if self._open and self._open[-1][1]:
            self.by_section.setdefault(self._open[-1][1], []).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def section(self, name: str) -> str:
        """The text of a section in one line; empty if the page has no such section."""
        return " ".join(" ".join(self.by_section.get(name, [])).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def csv_of(page: Page, name: str) -> list[str]:
    """The lines of the CSV that the page offers under a name."""
    (link,) = [a["href"] for a in page.all("a") if a.get("download") == name]
    return unquote(link.partition(",")[2]).splitlines()
