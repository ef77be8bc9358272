"""Draws the two extremal configurations of theorem.md as SVG.

python proofs/pictures.py             write proofs/pictures/*.svg
python proofs/pictures.py --check     exit 1 if a file is not what this script draws
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).with_name("pictures")
INSIDE, OUTSIDE, NEW, INK, FAINT = "#1f77b4", "#d95f02", "#2ca02c", "#222222", "#bbbbbb"
WIDTH, LEFT, SCALE = 740, 110, 150


class Picture:
    """A number line for the tokens, and rows of weights drawn as squares."""

    def __init__(self, height: int, title: str) -> None:
        self.height = height
        self.parts = [f"<title>{title}</title>"]

    def text(
        self, x: float, y: float, words: str, *, size: int = 13, fill: str = INK, anchor: str = "middle"
    ) -> None:
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" '
            f'text-anchor="{anchor}">{words}</text>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = INK, width: float = 1) -> None:
        self.parts.append(
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" '
            f'stroke="{stroke}" stroke-width="{width:g}"/>'
        )

    def dot(self, x: float, y: float, fill: str) -> None:
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="7" fill="{fill}"/>')

    def span(self, at: float, to: float, y: float, words: str, fill: str) -> None:
        """A measured distance between two positions."""
        x1, x2 = position(at), position(to)
        self.line(x1, y, x2, y, fill, 2)
        self.line(x1, y - 5, x1, y + 5, fill, 2)
        self.line(x2, y - 5, x2, y + 5, fill, 2)
        self.text((x1 + x2) / 2, y - 7, words, fill=fill)

    def axis(self, y: float, words: str) -> None:
        self.line(position(0) - 30, y, position(3) + 60, y, FAINT)
        self.text(LEFT - 40, y + 4, words, anchor="end", size=12)

    def weights(self, y: float, words: str, names: list[str], row: list[tuple[float, str]]) -> None:
        """One attention row: a square a token, shaded by its weight."""
        self.text(LEFT - 40, y + 24, words, anchor="end", size=12)
        for k, ((shade, label), name) in enumerate(zip(row, names, strict=True)):
            x = LEFT + 100 * k
            self.parts.append(
                f'<rect x="{x}" y="{y}" width="90" height="36" '
                f'fill="{INK}" fill-opacity="{shade:g}" stroke="{FAINT}"/>'
            )
            self.text(x + 45, y + 23, label, size=12)
            self.text(x + 45, y - 6, name, size=11, fill="#666666")

    def svg(self) -> str:
        body = "\n  ".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.height}" '
            f'viewBox="0 0 {WIDTH} {self.height}" font-family="sans-serif">\n'
            f'  <rect width="{WIDTH}" height="{self.height}" fill="white"/>\n  {body}\n</svg>\n'
        )


def position(value: float) -> float:
    return LEFT + 40 + SCALE * value


def sharp() -> str:
    """For m = 2, eps in [1/10, 1/5], d = 1, D = 3: the first of the rational instances."""
    p = Picture(400, "The configuration that attains the sharp bound")
    p.text(
        WIDTH / 2, 24, "sharp: one row goes out as far as it may, the others as little as they must", size=15
    )
    p.axis(100, "before")
    p.span(0, 1, 70, "d", INSIDE)
    p.span(0, 3, 50, "D", OUTSIDE)
    for value, words, fill in (
        (0, "s, and the rest of G", INSIDE),
        (1, "t", INSIDE),
        (3, "outside", OUTSIDE),
    ):
        p.dot(position(value), 100, fill)
        p.text(position(value), 124, words, size=12, fill=fill)
    names = ["t", "s", "rest of G", "outside 1", "outside 2"]
    p.weights(
        170, "row t", names, [(0.35, "1 - x_u"), (0, "0"), (0, "0"), (0.15, "x_u / m"), (0.15, "x_u / m")]
    )
    p.weights(
        240, "other rows", names, [(0, "0"), (0.5, "1 - x_l"), (0, "0"), (0.08, "eps_l"), (0.08, "eps_l")]
    )
    p.axis(340, "after")
    p.dot(position(0.6), 340, NEW)
    p.dot(position(1.8), 340, NEW)
    p.text(position(0.6), 364, "x_l D: all other tokens of G", size=12, fill=NEW)
    p.text(position(1.8) + 50, 364, "x_u D + (1 - x_u) d: token t", size=12, fill=NEW)
    p.span(0.6, 1.8, 320, "(1 - x_u) d + (x_u - x_l) D", NEW)
    return p.svg()


def cluster_dobrushin() -> str:
    """Tokens placed by the sign of the difference of two rows, d = 1, D = 3."""
    p = Picture(330, "The configuration that attains cluster_dobrushin")
    p.text(
        WIDTH / 2,
        24,
        "cluster_dobrushin: any two rows pull their own tokens as far apart as d and D allow",
        size=15,
    )
    p.axis(110, "before")
    p.span(2, 3, 80, "d", INSIDE)
    p.span(0, 3, 58, "D", OUTSIDE)
    for value, fill in ((0, OUTSIDE), (2, INSIDE), (3, INK)):
        p.dot(position(value), 110, fill)
    p.text(position(0), 134, "outside G, row i gives", size=12, fill=OUTSIDE)
    p.text(position(0), 149, "at least as much as row j", size=12, fill=OUTSIDE)
    p.text(position(2) - 20, 134, "in G, row i gives", size=12, fill=INSIDE)
    p.text(position(2) - 20, 149, "at least as much as row j", size=12, fill=INSIDE)
    p.text(position(3) + 30, 134, "row j gives more,", size=12)
    p.text(position(3) + 30, 149, "inside G or out", size=12)
    names = ["at D", "at D - d", "at 0"]
    p.weights(
        200, "A[j] - A[i]", names, [(0.3, "+ tau in all"), (0.15, "- (tau - kappa)"), (0.22, "- kappa")]
    )
    p.text(WIDTH / 2, 275, "z'_j - z'_i = tau D - (tau - kappa)(D - d) - kappa 0", size=14, fill=NEW)
    p.text(WIDTH / 2, 300, "= (tau - kappa) d + kappa D", size=14, fill=NEW)
    return p.svg()


def pictures() -> dict[Path, str]:
    return {FOLDER / "sharp.svg": sharp(), FOLDER / "cluster_dobrushin.svg": cluster_dobrushin()}


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        stale = [
            path.name for path, svg in pictures().items() if not path.exists() or path.read_text() != svg
        ]
        print(
            f"stale: {', '.join(stale)}; run python proofs/pictures.py" if stale else "pictures are current"
        )
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for path, svg in pictures().items():
        path.write_text(svg)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
