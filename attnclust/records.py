"""The schema of every record: what a study writes, and all that claims and report read.

A study's folder holds ``results.json`` (the summary), one Parquet file for each of :data:`TABLES`, and
``figures/`` and ``index.html`` made from them. Reading needs neither torch nor the data.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attnclust._array import ArgumentError

SCHEMA_VERSION = 2

MODEL, TWIN = "model", "random_twin"
"""The two subjects of a study: the model that was asked for, and its twin with random weights."""

PIXELS, POSITIONS = "raw_pixels", "position_embeddings"
"""Controls that stand among the measurements, at level 0: tokens that no block has touched."""

NO_MASK, CONVERTED = "no mask", "converted"
"""Kinds of notes on the data: a picture that is no part of it, and one that is not RGB."""

SIMPLIFIED, PER_HEAD = "simplified", "per_head"
"""The two forms of a step: head-mean attention on the embeddings; one head's attention on its values."""

OBJECTS, DBSCAN, RANDOM = "objects", "dbscan", "random"
"""The partitions of a step: objects and background from masks; DBSCAN clusters of the tokens that enter the
block; the objects' sizes dealt out at random. The last two are measured of the model alone, not of its
twin."""

BACKGROUND = "background"
"""The name of the cluster of all patches that are on no object."""

_NAMES = pa.dictionary(pa.int32(), pa.string())

TABLES: Mapping[str, pa.Schema] = {
    # One row an image and condition: whether the selection rule lets it in, and what it holds.
    "images": pa.schema(
        [
            ("image", pa.string()),
            ("condition", _NAMES),
            ("selected", pa.bool_()),
            ("reason", _NAMES),  # why it is out, or the reader's reason for an unreadable file; null if in
            ("readable", pa.bool_()),
            ("objects", pa.int32()),  # objects that count
            ("patches", pa.int32()),  # patches that belong to one
            ("contested", pa.int32()),  # patches that two objects could claim
        ]
    ),
    # One row an image, condition, level and metric. Diameters stand here too, under the condition clean.
    "measurements": pa.schema(
        [
            ("subject", _NAMES),
            ("image", _NAMES),
            ("condition", _NAMES),
            ("level", pa.int32()),
            ("metric", _NAMES),
            ("value", pa.float64()),
        ]
    ),
    # The metrics of the clean images under each of the three protocols.
    "protocols": pa.schema(
        [
            ("subject", _NAMES),
            ("image", _NAMES),
            ("protocol", _NAMES),
            ("level", pa.int32()),
            ("metric", _NAMES),
            ("value", pa.float64()),
        ]
    ),
    # What was not as it should be in the data, without keeping an image out.
    "notes": pa.schema(
        [
            ("image", pa.string()),
            ("kind", _NAMES),  # NO_MASK or CONVERTED
            ("note", pa.string()),
        ]
    ),
    # One row an image, block, head, partition, cluster and rung of the ladder (condition clean). Verdicts are
    # reached in float64; the numbers beside them are kept in float32.
    "steps": pa.schema(
        [
            ("subject", _NAMES),
            ("form", _NAMES),
            ("partition", _NAMES),
            ("image", _NAMES),
            ("block", pa.int32()),  # 1..L
            ("head", pa.int32()),  # 0..H-1; -1 in the simplified form
            ("cluster", pa.int32()),
            ("cluster_name", _NAMES),  # a class name, or "background"
            ("tokens", pa.int32()),
            ("outside", pa.int32()),  # m
            ("eps_lower", pa.float32()),
            ("eps_upper", pa.float32()),
            ("diameter_all", pa.float32()),  # D, before the step
            ("diameter_before", pa.float32()),  # d
            ("diameter_after", pa.float32()),  # d'
            ("shrinks", pa.bool_()),
            ("rung", _NAMES),
            ("pooled", pa.bool_()),  # one range (eps_lower, eps_upper) for all clusters, as the paper has it
            ("bound", pa.float32()),
            ("holds", pa.bool_()),
            ("certified", pa.bool_()),
        ]
    ),
    # How each filter tells an object's patches from the background's at level 0: 2 AUC - 1, one a filter.
    "filters": pa.schema(
        [
            ("subject", _NAMES),
            ("image", _NAMES),
            ("object", pa.int32()),
            ("class", _NAMES),
            ("selectivity", pa.list_(pa.float32())),
        ]
    ),
    # One row an image, block, stage and cluster of the ledger (condition clean, the model alone); and a row a
    # head of values, attention and projection.
    "stages": pa.schema(
        [
            ("image", _NAMES),
            ("block", pa.int32()),  # 1..L
            ("stage", _NAMES),  # attnclust.vit.STAGES
            ("head", pa.int32()),  # -1: all heads side by side, or the stage has none
            ("cluster", pa.int32()),
            ("cluster_name", _NAMES),
            ("raw_diameter", pa.float32()),
            ("relative_diameter", pa.float32()),  # over that of all tokens
            ("angular_diameter", pa.float32()),  # degrees; NaN for one head
            ("bound", pa.float32()),  # on the raw diameter, from the stages before; NaN where there is none
        ]
    ),
    # Rows of the roll-out R_l: with pixels and a filter they are its view at every level and token.
    "views": pa.schema(
        [
            ("image", _NAMES),
            ("condition", _NAMES),
            ("form", _NAMES),  # "attention" (the paper's text) or "residual"
            ("token", pa.int32()),
            ("role", _NAMES),  # "class token", "background", or the object's number and class
            ("level", pa.int32()),
            ("weights", pa.list_(pa.float32())),  # R_l[token, patch], N numbers
        ]
    ),
    # What the views are drawn from. The image and condition are empty where they do not matter.
    "pictures": pa.schema(
        [
            ("image", _NAMES),
            ("condition", _NAMES),
            # "input" (uint8, H W C), "mask" (uint8, rows columns: each patch's object), "filters" (float16,
            # D C P P), "mean" and "std" (float64, C: the model's normalisation of pixels in [0, 1])
            ("kind", _NAMES),
            ("shape", pa.list_(pa.int32())),
            ("dtype", pa.string()),
            ("data", pa.binary()),  # C order, little-endian
        ]
    ),
    # t-SNE of one image under every condition, and of a mosaic: one row a picture, level and patch.
    "embedding": pa.schema(
        [
            ("picture", _NAMES),  # the condition, or "mosaic"
            ("image", _NAMES),
            ("level", pa.int32()),
            ("patch", pa.int32()),
            ("x", pa.float32()),
            ("y", pa.float32()),
            ("object", pa.int32()),  # the object that the patch belongs to, 0 for background
            ("name", _NAMES),
            ("attention", pa.float32()),  # class row of the residual roll-out; null without a class token
            ("perplexity", pa.float64()),
            ("iterations", pa.int32()),
            ("seed", pa.int64()),
            ("kl_divergence", pa.float64()),
        ]
    ),
    # What was embedded, as the model sees it.
    "embedding_pictures": pa.schema(
        [
            ("picture", _NAMES),
            ("image", _NAMES),
            ("grid", pa.list_(pa.int32())),  # rows and columns of patches
            ("jpeg", pa.binary()),
        ]
    ),
    # Top-1 class of every image and condition, where the model classifies.
    "predictions": pa.schema(
        [
            ("subject", _NAMES),
            ("image", _NAMES),
            ("condition", _NAMES),
            ("top1", pa.int32()),
            ("score", pa.float64()),
        ]
    ),
    # What simulated layers show of the theory: one row an experiment, series (a kind of layer, a rung of the
    # ladder, a temperature), quantity and level; median and middle 80 % over the runs.
    "simulated_curves": pa.schema(
        [
            ("experiment", _NAMES),
            ("series", _NAMES),
            ("quantity", _NAMES),
            ("level", pa.int32()),
            ("median", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("runs", pa.int32()),
        ]
    ),
    # Where the tokens of one run stand.
    "simulated_tokens": pa.schema(
        [
            ("experiment", _NAMES),
            ("series", _NAMES),
            ("level", pa.int32()),
            ("token", pa.int32()),
            ("cluster", pa.int32()),
            ("x", pa.float64()),
            ("y", pa.float64()),
        ]
    ),
    # The share of clusters that shrink in one step, and that each rung certifies, by temperature and spread.
    "simulated_phases": pa.schema(
        [
            ("temperature", pa.float64()),  # beta D^2
            ("spread", pa.float64()),  # cluster diameter / distance between the clusters' centres
            ("quantity", _NAMES),  # "shrinks", or a rung
            ("share", pa.float64()),
            ("clusters", pa.int32()),
        ]
    ),
    # How often each rung was held against what happened in a simulation, and how often it failed.
    "simulated_checks": pa.schema(
        [
            ("experiment", _NAMES),
            ("rung", _NAMES),
            ("form", _NAMES),  # "step" by step, or "composed" over depth
            ("checked", pa.int32()),
            ("violations", pa.int32()),
        ]
    ),
    "claims": pa.schema(
        [
            ("id", pa.string()),
            ("claim", pa.int32()),  # its number in the paper's list of claims
            ("role", pa.string()),  # claim, part (its verdict rests on it), beside
            ("statement", pa.string()),
            ("verdict", pa.string()),  # supported, contradicted, undecided, not measured
            ("sentence", pa.string()),
            ("statistic", pa.string()),  # what was computed, in words
            ("value", pa.float64()),
            ("ci_low", pa.float64()),
            ("ci_high", pa.float64()),
            ("n", pa.int32()),
            ("detectable", pa.float64()),  # how far beyond the limit a mean is found four times in five
            ("p_value", pa.float64()),  # corrected; null for exact evidence
            ("subject", _NAMES),
        ]
    ),
}


def to_table(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Turn rows into the table ``name`` of :data:`TABLES`; a row with other fields is refused.

    >>> row = {"subject": "model", "image": "a", "condition": "clean", "top1": 3, "score": 0.5}
    >>> to_table("predictions", [row]).num_rows
    1
    """
    schema = TABLES[name]
    for row in rows:
        if row.keys() != set(schema.names):
            raise ArgumentError(
                "rows",
                f"each row of {name} must have the fields {schema.names}",
                sorted(row),
                "Name them all.",
            )
    return pa.Table.from_pylist(list(rows), schema=schema)


def write_table(folder: Path, name: str, table: pa.Table) -> None:
    """Write ``<folder>/<name>.parquet``; a reader never sees half a file."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.parquet.partial"
    schema = TABLES[name]
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    pq.write_table(
        table.cast(schema),
        partial,
        compression="zstd",
        compression_level=19,
        # By column; pyarrow's type hints know only one flag for all.
        use_dictionary=[field for field in schema.names if field not in floats],  # pyright: ignore[reportArgumentType]
        use_byte_stream_split=floats,  # pyright: ignore[reportArgumentType]
    )
    os.replace(partial, folder / f"{name}.parquet")


def read_table(folder: Path, name: str) -> pa.Table:
    """Read a study's table; a folder that holds none is refused with the file that was looked for."""
    file = folder / f"{name}.parquet"
    if not file.is_file():
        raise ArgumentError(
            "folder",
            f"must hold the records of a study ({name}.parquet)",
            str(folder),
            "Run the study there first.",
        )
    try:
        return pq.read_table(file).cast(TABLES[name])
    except (pa.ArrowException, ValueError) as error:
        raise ArgumentError(
            "folder",
            f"must hold records that this version of attnclust writes ({name}.parquet)",
            f"{folder}: {str(error).splitlines()[0]}",
            "Measure the study again into another folder.",
        ) from error


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; NaN and infinity, which JSON lacks, become null."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    partial.write_text(json.dumps(_plain(content), ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    os.replace(partial, file)


def read_results(folder: Path) -> dict[str, Any]:
    """Read a study's ``results.json``; a folder that holds none is refused."""
    file = folder / "results.json"
    if not file.is_file():
        raise ArgumentError(
            "folder", "must hold a finished study (results.json)", str(folder), "Run the study there first."
        )
    try:
        return json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ArgumentError(
            "folder", "must hold a readable results.json", f"{file}: {error}", "Measure the study again."
        ) from error


def _plain(value: Any) -> Any:
    """Python's own types, NaN and infinities as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
