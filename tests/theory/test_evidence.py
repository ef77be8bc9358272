"""The kept worst ratios are fresh, complete and plausible."""

from __future__ import annotations

import json

from attnclust.bounds import THEOREMS
from attnclust.testing._evidence import EVIDENCE, search, sources_hash


def test_the_kept_ratios_are_made_from_the_present_sources() -> None:
    kept = json.loads(EVIDENCE.read_text(encoding="utf-8"))
    assert kept["sources_sha256"] == sources_hash(), f"stale: run {kept['made_by']}"
    assert set(kept["theorems"]) == set(THEOREMS)


def test_the_kept_ratios_are_those_of_the_search() -> None:
    kept = json.loads(EVIDENCE.read_text(encoding="utf-8"))["theorems"]
    again = search("cluster_dobrushin")
    assert again["cases"] == kept["cluster_dobrushin"]["cases"]
    assert abs(again["worst_ratio"] - kept["cluster_dobrushin"]["worst_ratio"]) < 1e-3
    for label, entry in kept.items():
        assert 0 < entry["worst_ratio"] <= 1 + 1e-6, label
        assert entry["cases"] >= 900, label
