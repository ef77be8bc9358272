"""Exhibits of the simulator on tokens: collapse in two stages, kinds of layer, clusters from nothing."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from attnclust.plots import Panel, Scene, draw_scenes
from attnclust.report._figures import Gallery
from attnclust.report._math import math
from attnclust.report._simulated import (
    FLOOR,
    Exhibit,
    curves_of,
    over_runs,
    places_table,
    scenes_of,
    series_of,
    statements,
)
from attnclust.report._study import Study


def stages(study: Study, gallery: Gallery) -> Exhibit | None:
    """Within clusters fast, between them slowly."""
    scenes = scenes_of(study, "stages")
    sizes, numbers = series_of(study, "stages", "diameter"), series_of(study, "stages", "count")
    if not scenes or not sizes or not numbers:
        return None
    tokens, clusters = next(iter(scenes.values()))
    levels = [level for level in (0, 1, 2, 12) if level < len(tokens)]
    figures = [
        gallery.drawing(
            "simulated-stages",
            draw_scenes(
                [Scene(f"level {level}", tokens[level : level + 1], clusters) for level in levels],
                columns=2,
                height=330,
                shared=True,
            ),
            title="Three clusters, level by level",
            caption="One run in the plane: every step replaces the tokens by averages, with weights that "
            "favour their like. Hulls are filled; all panels have one scale.",
            alt="Three clusters of eight tokens in the plane at levels "
            f"{', '.join(map(str, levels))}: first each contracts to a point, and later the points meet.",
            table=places_table(scenes, levels),
        ),
        gallery.curves(
            "simulated-stages-sizes",
            [Panel("", curves_of(sizes, floor=FLOOR), "distance")],
            title="Within clusters fast, between them slowly",
            caption="The largest diameter of a cluster, and the least distance between two hulls, down to "
            f"10⁻⁹; {over_runs(sizes)}.",
            x_label="level",
            log=True,
            digits=3,
            height=265,
            columns=2,
        ),
        gallery.curves(
            "simulated-stages-count",
            [Panel("", curves_of(numbers), "clusters")],
            title="Number of clusters",
            caption="Tokens chained by steps of at most 5 % of the diameter at level 0 count as one cluster; "
            f"{over_runs(numbers)}.",
            x_label="level",
            digits=0,
            height=250,
        ),
    ]
    return Exhibit(
        "Two-stage collapse",
        figures,
        statements("cluster_cubic", "separation"),
        Markup(
            "Tokens of a tight cluster ask nearly the same question, so they get nearly the same answer, "
            "and the cluster contracts on its own. Two clusters can only approach by what they give to the "
            "outside, at most x<sub>G</sub> and x<sub>H</sub>: while that is little, their distance s "
            "stays."
        ),
    )


def variants(study: Study, gallery: Gallery) -> Exhibit | None:
    """What a value matrix, a residual, LayerNorm and a causal mask change."""
    scenes = scenes_of(study, "variants")
    raw, relative = (series_of(study, "variants", f"{which}_diameter") for which in ("raw", "relative"))
    if not scenes or not raw or not relative:
        return None
    last = len(next(iter(scenes.values()))[0]) - 1
    curves: dict[str, Any] = {"x_label": "level", "log": True, "digits": 3, "columns": 2, "height": 300}
    figures = [
        gallery.drawing(
            "simulated-variants",
            draw_scenes(
                [Scene(name, tokens, clusters) for name, (tokens, clusters) in scenes.items()],
                columns=2,
                height=500,
            ),
            title=f"One start under {len(scenes)} layers, {last} steps",
            caption="Hollow: level 0. Filled: the end. Lines: the way. Each panel has its own scale; "
            "queries and keys are the same everywhere.",
            alt="Paths of three clusters. Under the simplified layer each contracts where it is; W_V = 2I "
            "and residuals carry them outwards; LayerNorm keeps them on a circle; under a causal mask all "
            "move towards the first token.",
            table=places_table(scenes, (0, last)),
        ),
        gallery.curves(
            "simulated-variants-raw",
            [Panel("", curves_of(raw, floor=FLOOR), "diameter d")],
            title="Diameter of a cluster",
            caption=f"Mean over clusters, down to 10⁻⁹; {over_runs(raw)}.",
            **curves,
        ),
        gallery.curves(
            "simulated-variants-relative",
            [Panel("", curves_of(relative, floor=FLOOR), "d / diam(Z)")],
            title="Diameter relative to the whole",
            caption=f"Mean over clusters, down to 10⁻⁹; {over_runs(relative)}.",
            **curves,
        ),
    ]
    return Exhibit(
        "What a value matrix, a residual, LayerNorm or a causal mask change",
        figures,
        statements("value_matrix", "residual", "contraction"),
        Markup(
            "With W<sub>V</sub> = 2I each rung holds twice over: the whole may grow, and does, while "
            "attention still contracts every cluster. With a residual nothing promises contraction: a "
            "cluster's own diameter does not fall, only its share of the whole. LayerNorm gives back the "
            "length that averaging takes, so the whole cannot vanish. Under a causal mask rows still sum "
            "to 1 and the ladder holds; but a token that misses one outsider makes ε<sub>l</sub> = 0, and "
            "then the certificate from ranges is silent. The first token sees itself alone and stays, so "
            "in the end all come to it, clusters and whole at one pace."
        ),
    )


def emergence(study: Study, gallery: Gallery) -> Exhibit | None:
    """Random tokens gather in clusters."""
    series = series_of(study, "emergence", "count")
    if not series:
        return None
    figure = gallery.curves(
        "simulated-emergence",
        [Panel("", curves_of({name: rows[::4] for name, rows in series.items()}), "clusters")],
        title="Random tokens on the sphere gather",
        caption="32 tokens on the unit sphere, a residual with step 1/2, back to the sphere after every "
        "step; logits are β times the cosine. Tokens chained by steps of at most 5 % of the first "
        f"diameter count as one cluster; {over_runs(series)}.",
        x_label="level",
        digits=0,
        height=270,
    )
    slope = r"\frac{d\gamma}{dt} = \frac{2 e^{\beta\gamma} (1-\gamma)\,((n-1)\gamma + 1)}"
    return Exhibit(
        "Clusters from nothing",
        [figure],
        [
            (
                "equiangular tokens with cosine γ, small steps",
                math(slope + r"{e^{\beta} + (n-1)\, e^{\beta\gamma}}"),
            )
        ],
        Markup(
            "The right-hand side is positive until all tokens meet: in the end there is one cluster. But "
            "for tokens at an angle it is of order e<sup>−β(1−γ)</sup>: the sharper the attention, the "
            "longer several clusters stand side by side."
        ),
    )
