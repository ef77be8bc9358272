"""``python -m attnclust.data YEAR``: download a year of Pascal VOC, print the folder for ``--data``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from attnclust._array import ArgumentError
from attnclust.data.archive import fetch


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status: 2 if the data could not be had."""
    parser = argparse.ArgumentParser(prog="python -m attnclust.data", description="Download Pascal VOC.")
    parser.add_argument("year", help="2007 to 2012; the paper measures 2009")
    parser.add_argument("--root", type=Path, default=Path("data"), help="where VOCdevkit shall lie")
    options = parser.parse_args(arguments)
    try:
        print(fetch(options.year, options.root))
    except ArgumentError as error:
        print(f"attnclust: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
