"""What the documentation shows of files that lie elsewhere, and formulas without a network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

from attnclust.claims._list import CLAIMS

ROOT = Path(__file__).parents[1]
PARTS = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
"""Code, in which a dollar is a dollar."""
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """The proofs' text and its pictures, where they lie for those who read the repository."""
    for path in (ROOT / "proofs" / "theorem.md", *sorted((ROOT / "proofs" / "pictures").glob("*.svg"))):
        target = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, target, content=path.read_bytes()))
    for path in sorted((ROOT / "proofs").glob("*.v")):
        files.append(File.generated(config, f"proofs/{path.name}", content=path.read_bytes()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The list of claims; formulas between dollars as MathML, which every current browser draws by itself."""
    if "{claims}" in markdown:
        rows = "".join(f"| {number} | {statement} |\n" for number, statement in CLAIMS.items())
        markdown = markdown.replace("{claims}", f"| | claim |\n| --- | --- |\n{rows}")
    pieces = PARTS.split(markdown)
    return "".join(piece if i % 2 else FORMULA.sub(_mathml, piece) for i, piece in enumerate(pieces))


def _mathml(match: re.Match[str]) -> str:
    block, inline = match.groups()
    return convert(block or inline, display="block" if block else "inline")
