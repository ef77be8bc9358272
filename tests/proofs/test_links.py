"""One label for a statement in the text, in Coq, in THEOREMS and in the tests: no link may be missing."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from attnclust.bounds import THEOREMS

TESTS = Path(__file__).parents[1]
CLOSED = "Closed under the global context"


def stated(proofs: Path) -> list[str]:
    return re.findall(r"^Definition (\w+) : Prop :=", (proofs / "statements.v").read_text(), re.MULTILINE)


def without_comments(coq: str) -> str:
    """Coq's comments nest."""
    kept, depth = [], 0
    for piece in re.split(r"(\(\*|\*\))", coq):
        depth += {"(*": 1, "*)": -1}.get(piece, 0)
        if depth == 0 and piece != "*)":
            kept.append(piece)
    return "".join(kept)


def test_every_record_names_a_theorem_that_coq_prints_as_closed(coq_output: str, status: ModuleType) -> None:
    printed = status.printed(coq_output)
    for label, theorem in THEOREMS.items():
        if theorem.proof is not None:
            assert printed.get(theorem.proof) == CLOSED, label


def test_every_statement_is_printed_as_closed(coq_output: str, status: ModuleType, proofs: Path) -> None:
    printed = status.printed(coq_output)
    assert list(printed) == [*stated(proofs), "all_instances"]
    assert set(printed.values()) == {CLOSED}


def test_what_the_package_says_of_the_proofs_is_what_coq_says(coq_output: str, status: ModuleType) -> None:
    assert status.TARGET.read_text() == status.record(coq_output), "stale: run python proofs/status.py"


def test_the_packaged_status_belongs_to_these_sources(status: ModuleType, proofs: Path) -> None:
    packaged = json.loads(status.TARGET.read_text())
    assert list(packaged) == [*stated(proofs), "all_instances"]
    for label, entry in packaged.items():
        assert entry == {"name": label, "status": "closed", "sha256": status.sources_sha256()}, (
            "stale: run python proofs/status.py"
        )


def test_every_record_with_a_proof_is_in_the_packaged_status(status: ModuleType) -> None:
    packaged = json.loads(status.TARGET.read_text())
    named = {label: theorem.proof for label, theorem in THEOREMS.items() if theorem.proof is not None}
    assert len(named) >= 20
    assert {label: proof for label, proof in named.items() if proof not in packaged} == {}
    assert all(proof == label for label, proof in named.items())


def test_no_record_hides_the_proof_it_has(proofs: Path) -> None:
    assert [label for label in stated(proofs) if label in THEOREMS and THEOREMS[label].proof is None] == []


def test_text_and_statements_name_each_other(proofs: Path) -> None:
    named = re.findall(r"\*\*`(\w+)`\*\*", (proofs / "theorem.md").read_text())
    assert sorted(set(named)) == sorted(stated(proofs))
    assert len(named) == len(set(named))


def test_text_explains_every_record(proofs: Path) -> None:
    text = (proofs / "theorem.md").read_text()
    assert [label for label in THEOREMS if f"`{label}`" not in text] == []


def test_text_shows_pictures_that_exist(proofs: Path) -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (proofs / "theorem.md").read_text())
    assert len(pictures) >= 2
    assert [picture for picture in pictures if not (proofs / picture).is_file()] == []


def test_the_pictures_are_what_the_script_draws(pictures: ModuleType) -> None:
    for path, svg in pictures.pictures().items():
        assert path.read_text() == svg, "stale: run python proofs/pictures.py"


def names_used(tests: Path) -> set[str]:
    """Every name, attribute and string constant in the test functions below a folder."""
    found: set[str] = set()
    for file in tests.rglob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_every_record_has_a_test() -> None:
    used = names_used(TESTS / "theory")
    untested = [label for label, theorem in THEOREMS.items() if not {label, theorem.function.__name__} & used]
    assert untested == []


def test_sources_assume_nothing(proofs: Path) -> None:
    """Section hypotheses are allowed: closing the section turns them into premises."""
    forbidden = re.compile(r"\b(Admitted|admit|Axioms?|Parameters?|Conjecture|Abort|bypass_check)\b")
    files = sorted(proofs.glob("*.v"))
    assert len(files) >= 8
    for file in files:
        code = without_comments(file.read_text())
        assert forbidden.findall(code) == [], file.name
        # A variable or hypothesis outside every section would be an axiom.
        open_sections = 0
        for word in re.findall(r"^\s*(Section|End|Variables?|Hypothes[ie]s|Context)\b", code, re.MULTILINE):
            open_sections += {"Section": 1, "End": -1}.get(word, 0)
            assert open_sections > 0 or word == "End", f"{file.name}: {word} outside a section"


@pytest.mark.parametrize(
    "output",
    [
        "sharp:\nAxioms:\nchoice : forall P : Prop, P\n",
        "sharp:\nClosed under the global context\nlinear:\nAxioms:\nfoo : False\n",
        "sharp:\n",
        "",
    ],
)
def test_a_theorem_that_rests_on_an_axiom_is_refused(output: str, status: ModuleType) -> None:
    with pytest.raises(SystemExit, match="not closed"):
        status.record(output)


def test_reading_what_make_says_around_the_theorems(status: ModuleType) -> None:
    output = (
        f"make: Entering directory 'x'\nsharp:\n{CLOSED}\nlinear:\n{CLOSED}\nmake: Leaving directory 'x'\n"
    )
    assert status.printed(output) == {"sharp": CLOSED, "linear": CLOSED}
