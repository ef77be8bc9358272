"""Builds the proofs and writes what the package knows of them: attnclust/bounds/proofs.json.

    python proofs/status.py             build, read what Coq printed, write the file
    python proofs/status.py --check     build and exit 1 if the file says anything else

The file maps every statement's label to its Coq name, its status ("closed": proved from no assumption)
and the SHA-256 of the sources, so that a reader without Coq can tell a stale file by hashing alone.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

PROOFS = Path(__file__).parent
TARGET = PROOFS.parent / "attnclust" / "bounds" / "proofs.json"
CLOSED = "Closed under the global context"


def sources_sha256() -> str:
    """The hash of all Coq sources, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(PROOFS.glob("*.v")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build() -> str:
    """What `make` prints: for every theorem a line with its name, then what it assumes."""
    done = subprocess.run(["make", "-C", str(PROOFS)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"make -C proofs failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def printed(output: str) -> dict[str, str]:
    """Theorem -> the text of its assumptions."""
    parts = re.split(r"^([a-z0-9_]+):\n", output, flags=re.MULTILINE)
    # What make says of itself, before the first name and after the last line, is no assumption.
    texts = [re.sub(r"^make.*\n?", "", text, flags=re.MULTILINE).strip() for text in parts[2::2]]
    return dict(zip(parts[1::2], texts, strict=True))


def record(output: str) -> str:
    """The JSON text for what `make` printed; exits if a theorem rests on an assumption."""
    found = printed(output)
    resting = {name: text for name, text in found.items() if text != CLOSED}
    if resting or not found:
        sys.exit(f"not closed under the global context: {resting or 'nothing was printed'}")
    sha256 = sources_sha256()
    theorems = {name: {"name": name, "status": "closed", "sha256": sha256} for name in found}
    return json.dumps(theorems, indent=1) + "\n"


def main() -> int:
    text = record(build())
    if sys.argv[1:] == ["--check"]:
        current = TARGET.exists() and TARGET.read_text() == text
        print(f"{TARGET.name} is {'current' if current else 'stale: run python proofs/status.py'}")
        return 0 if current else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
