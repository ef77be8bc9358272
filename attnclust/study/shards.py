"""Shards: what a running study has measured so far, safe against being killed at any moment."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attnclust.records import TABLES, to_table, write_json, write_table


@dataclass(frozen=True)
class Progress:
    """How far a study has come.

    Attributes:
        shards: how many shards are complete.
        next_index: the first image of the data set that no shard covers.
        selected: images that passed the selection without any condition.
        drawn: whether the neurons' records are made.
    """

    shards: int = 0
    next_index: int = 0
    selected: int = 0
    drawn: bool = False


class Shards:
    """Complete shards under ``<folder>/shards``; one that was being written when a study died is ignored."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "shards"

    def progress(self) -> Progress:
        """What the last complete shard says."""
        last = self._complete()[-1:]
        return Progress(**json.loads((last[0] / "progress.json").read_text("utf-8"))) if last else Progress()

    def add(self, rows: Mapping[str, Sequence[Mapping[str, Any]]], progress: Progress) -> None:
        """Write a shard; it counts once its folder has its final name."""
        final = self.folder / f"{progress.shards:06d}"
        partial = final.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for name, content in rows.items():
            write_table(partial, name, to_table(name, content))
        write_json(partial / "progress.json", vars(progress))
        os.replace(partial, final)

    def table(self, name: str) -> pa.Table | None:
        """A table, whole, from all shards; None where no shard has it."""
        files = [shard / f"{name}.parquet" for shard in self._complete()]
        parts = [pq.read_table(file).cast(TABLES[name]) for file in files if file.exists()]
        # Dictionaries differ from shard to shard.
        return pa.concat_tables(parts).unify_dictionaries() if parts else None

    def merge(self, destination: Path) -> None:
        """Write each table, whole."""
        for name in TABLES:
            if (table := self.table(name)) is not None:
                write_table(destination, name, table)

    def remove(self) -> None:
        """Delete the shards, once their tables stand."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _complete(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("[0-9]*") if path.suffix != ".partial")
