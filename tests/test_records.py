"""What is written is what is read; wrong rows are refused; half a file is never left under a table's name."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from attnclust._array import ArgumentError
from attnclust.records import TABLES, read_results, read_table, to_table, write_json, write_table

ROW = {"subject": "model", "image": "a", "condition": "clean", "level": 3, "metric": "purity"}


def test_a_table_is_read_back_bit_for_bit(tmp_path: Path):
    values = [0.1, 1 / 3, math.pi, 5e-324, -0.0, 1e300]
    table = to_table("measurements", [ROW | {"value": value} for value in values])
    write_table(tmp_path, "measurements", table)
    back = read_table(tmp_path, "measurements")
    assert back.schema == TABLES["measurements"]
    assert [value.hex() for value in back["value"].to_pylist()] == [value.hex() for value in values]
    assert [file.name for file in tmp_path.iterdir()] == ["measurements.parquet"]


def test_lists_and_bytes_are_read_back(tmp_path: Path):
    weights = np.linspace(0, 1, 7, dtype=np.float32).tolist()
    where = {"image": "a", "condition": "clean", "form": "residual"}
    rows = [where | {"token": 1, "role": "<b>", "level": 2, "weights": weights}]
    write_table(tmp_path, "views", to_table("views", rows))
    assert read_table(tmp_path, "views").to_pylist() == rows


@pytest.mark.parametrize("wrong", [ROW, ROW | {"value": 1.0, "note": "extra"}])
def test_rows_with_other_fields_are_refused(wrong: dict):
    with pytest.raises(ArgumentError, match=r"rows: each row of measurements must have the fields .*value"):
        to_table("measurements", [wrong])


def test_a_folder_without_records_is_refused_by_name(tmp_path: Path):
    with pytest.raises(ArgumentError, match=r"folder: must hold the records of a study \(steps.parquet\)"):
        read_table(tmp_path, "steps")
    with pytest.raises(ArgumentError, match=r"results\.json"):
        read_results(tmp_path)


def test_records_of_another_version_are_refused_by_name(tmp_path: Path):
    write_table(tmp_path, "measurements", to_table("measurements", [ROW | {"value": 1.0}]))
    older = pq.read_table(tmp_path / "measurements.parquet").drop_columns("level")
    pq.write_table(older, tmp_path / "measurements.parquet")
    with pytest.raises(ArgumentError, match=r"writes \(measurements.parquet"):
        read_table(tmp_path, "measurements")


def test_json_has_null_where_there_is_no_number(tmp_path: Path):
    content = {"a": float("nan"), "b": [np.float64(math.inf), np.arange(2)], "c": np.bool_(True), 4: "é"}
    write_json(tmp_path / "x.json", content)
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == {
        "a": None,
        "b": [None, [0, 1]],
        "c": True,
        "4": "é",
    }
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    write_json(tmp_path / "x.json", {"a": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", {"a": object()})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": 1}
