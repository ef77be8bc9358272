"""``python -m attnclust.report``: measure (or read a study), write the page, print where it lies."""

import sys

from attnclust.command import parser, run
from attnclust.report import build_page


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser("python -m attnclust.report", "Measure and write the report.", report=True).parse_args(
        arguments
    )
    return run(options, build_page)


if __name__ == "__main__":
    sys.exit(main())
