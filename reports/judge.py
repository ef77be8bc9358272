"""Judge saved studies anew, when the code of the claims has changed; nothing is measured.

    python reports/judge.py [FOLDER ...]

Writes claims.parquet and results.json from the other records of each folder, by default of the samples beside
this file. Then ``python -m attnclust.report --from FOLDER`` makes the page, and ``python
reports/findings.py`` the findings.
"""

from __future__ import annotations

import sys
from pathlib import Path

from attnclust.records import read_results, write_json
from attnclust.study.summary import summarise

SAMPLES = Path(__file__).parent / "samples"


def judge(folder: Path) -> None:
    """Write what follows from a folder's records; how they came about stays as it was."""
    origin = read_results(folder)["provenance"]
    write_json(folder / "results.json", summarise(folder, origin, seed=origin["settings"]["seed"]))


if __name__ == "__main__":
    for chosen in sys.argv[1:] or [SAMPLES / "scenes", SAMPLES / "voc2007-deit-tiny"]:
        judge(Path(chosen))
