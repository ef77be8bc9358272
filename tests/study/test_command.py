"""The command line: what it prints, how it exits, and what it says to wrong use."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from attnclust.command import conditions, violations
from attnclust.data import ALL_CONDITIONS, DEFAULT_CONDITIONS
from attnclust.study import __main__ as study
from tests.study.conftest import SMALL

QUICK = ["--model", SMALL, "--random-weights", "--conditions", "clean", "--limit", "2"]


def wrong(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command that must be refused says; it prints nothing to standard output and exits with 2."""
    try:
        status = study.main(arguments)
    except SystemExit as exit_:  # the parser's own refusals
        status = exit_.code
    output = capsys.readouterr()
    assert status == 2
    assert not output.out
    return output.err


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_path_alone_goes_to_standard_output(capsys: pytest.CaptureFixture[str]):
    assert study.main(QUICK) == 0
    printed = Path(capsys.readouterr().out.rstrip("\n"))
    assert printed.name == "results.json"
    assert printed.is_file()
    assert printed.parent.parent == Path("reports")
    assert printed.parent.name.startswith(f"{SMALL}-scenes-")


def test_latest_points_to_the_newest_study(capsys: pytest.CaptureFixture[str]):
    for seed in ("0", "1"):
        study.main([*QUICK, "--seed", seed])
        printed = Path(capsys.readouterr().out.rstrip("\n"))
        assert Path("reports/latest").resolve() == printed.parent.resolve()


def test_unknown_model(capsys: pytest.CaptureFixture[str]):
    assert "Did you mean" in wrong(["--model", "deit_tinny_patch16_224", "--random-weights"], capsys)


def test_named_model_without_weights(capsys: pytest.CaptureFixture[str]):
    assert "--random-weights" in wrong(["--model", SMALL], capsys)


def test_unknown_condition(capsys: pytest.CaptureFixture[str]):
    message = wrong([*QUICK, "--conditions", "clean,shufle-2"], capsys)
    assert "shufle-2" in message
    assert "shuffle-" in message


def test_missing_data_folder_is_named_with_what_was_looked_for(capsys: pytest.CaptureFixture[str]):
    message = wrong([*QUICK, "--data", "nowhere/VOC2009"], capsys)
    assert "nowhere/VOC2009" in message


def test_empty_data_folder_is_named_with_what_was_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "empty").mkdir()
    message = wrong([*QUICK, "--data", "empty"], capsys)
    assert "--data" in message
    assert "empty" in message
    assert "JPEGImages" in message


def test_checkpoint_that_does_not_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "other.safetensors").write_bytes(b"x" * 100)
    assert "other.safetensors" in wrong(["--model", SMALL, "--checkpoint", "other.safetensors"], capsys)


def test_two_sources_of_weights(capsys: pytest.CaptureFixture[str]):
    assert "not allowed with" in wrong(["--model", SMALL, "--random-weights", "--pretrained"], capsys)


def test_cuda_without_a_gpu(capsys: pytest.CaptureFixture[str]):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    assert "--device" in wrong([*QUICK, "--device", "cuda"], capsys)


def test_output_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").write_text("mine")
    assert "--output" in wrong([*QUICK, "--output", "file"], capsys)
    assert (tmp_path / "file").read_text() == "mine"


def test_output_of_another_study(capsys: pytest.CaptureFixture[str]):
    study.main([*QUICK, "--output", "mine"])
    capsys.readouterr()
    before = Path("mine/results.json").read_bytes()
    assert "another study" in wrong([*QUICK, "--output", "mine", "--seed", "5"], capsys)
    assert Path("mine/results.json").read_bytes() == before


def test_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    from PIL import Image

    from attnclust.records import read_table

    Image.new("RGB", (300, 200), "teal").save("sea.png")
    assert study.main([*QUICK, "--image", "sea.png", "--output", "out"]) == 0
    assert "sea.png" in {row["image"] for row in read_table(Path("out"), "views").to_pylist()}
    capsys.readouterr()
    assert "nosuch.jpg" in wrong([*QUICK, "--image", "nosuch.jpg"], capsys)
    Path("letter.jpg").write_text("Dear reader")
    assert "letter.jpg" in wrong([*QUICK, "--image", "letter.jpg", "--output", "new"], capsys)
    assert not Path("new").exists(), "refused before anything is measured or written"


def test_limit_must_be_positive(capsys: pytest.CaptureFixture[str]):
    assert "--limit" in wrong([*QUICK[:-1], "0"], capsys)


def test_strict_names_the_claims_that_lack_a_condition_and_the_remedy(capsys: pytest.CaptureFixture[str]):
    """``clean`` alone cannot speak of shuffling; that was asked for, and nothing failed."""
    assert study.main([*QUICK, "--output", "out", "--strict"]) == 0
    told = capsys.readouterr().err
    assert re.search(r"claim \d+\S*: Not measured: .*shuffle-8 (was|were) not run", told), told
    assert told.rstrip().endswith("measure them with --conditions all")
    assert study.main([*QUICK, "--output", "out"]) == 0
    assert "claim" not in capsys.readouterr().err, "told where asked for"
    file = Path("out/results.json")
    results = json.loads(file.read_text())
    results["provenance"]["settings"]["conditions"] = list(ALL_CONDITIONS)
    file.write_text(json.dumps(results))
    study.main([*QUICK, "--output", "out", "--strict"])
    told = capsys.readouterr().err
    assert "claim" in told
    assert "--conditions" not in told, "no further condition would help"


def test_strict_exits_1_where_a_section_holds_nothing(capsys: pytest.CaptureFixture[str]):
    study.main([*QUICK, "--output", "out"])
    file = Path("out/results.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | {"metrics": {}}))
    assert study.main([*QUICK, "--output", "out", "--strict"]) == 1
    assert "not measured: metrics" in capsys.readouterr().err


def test_a_violated_theorem_exits_1(capsys: pytest.CaptureFixture[str]):
    study.main([*QUICK, "--output", "out"])
    file = Path("out/results.json")
    results = json.loads(file.read_text())
    assert violations(results) == 0
    results["layers"]["steps"]["per_head"]["violations"]["sharp"] = 3
    file.write_text(json.dumps(results))
    assert violations(results) == 3
    assert study.main([*QUICK, "--output", "out"]) == 1
    assert "violated in 3 steps" in capsys.readouterr().err


def test_condition_lists():
    assert conditions("default") == DEFAULT_CONDITIONS
    assert conditions("all") == ALL_CONDITIONS
    assert len(conditions("all")) == 17
    assert conditions("shuffle-8,clean,shuffle-8") == ("shuffle-8", "clean")


def test_a_page_is_rendered_again_without_torch(tmp_path: Path):
    study.main([*QUICK, "--output", "out"])
    for name in ("torch", "timm"):  # a machine that has neither
        (tmp_path / "blocked" / name).mkdir(parents=True)
        (tmp_path / "blocked" / name / "__init__.py").write_text("raise ImportError('not on this machine')")
    command = [sys.executable, "-m", "attnclust.report", "--from", "out"]
    path = os.pathsep.join([str(tmp_path / "blocked"), *sys.path])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).name == "index.html"
    assert Path("out/index.html").stat().st_size > 10_000


def test_from_a_folder_without_records():
    from attnclust.report import __main__ as report

    assert report.main(["--from", "nowhere"]) == 2
