"""``python -m attnclust.report``: measure (or read studies), write the page, print where it lies."""

import sys
from collections.abc import Sequence
from pathlib import Path

from attnclust.command import parser, run
from attnclust.report import build_page, compare_studies


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser("python -m attnclust.report", "Measure and write the report.", report=True).parse_args(
        arguments
    )

    def finish(folders: Sequence[Path]) -> Path:
        if options.compare:
            return compare_studies(folders, options.output, export=options.export)
        return build_page(folders[0], export=options.export)

    return run(options, finish)


if __name__ == "__main__":
    sys.exit(main())
