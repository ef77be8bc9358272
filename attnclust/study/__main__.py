"""``python -m attnclust.study``: measure, write the records, print where ``results.json`` lies."""

import sys

from attnclust.command import parser, run


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = parser(
        "python -m attnclust.study", "Measure; write records, no page.", report=False
    ).parse_args(arguments)
    return run(options, lambda folders: folders[0] / "results.json")


if __name__ == "__main__":
    sys.exit(main())
