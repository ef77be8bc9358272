"""Exhibits of the simulator on bounds: the ladder against depth, and when clusters shrink."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from attnclust.plots import Panel, Phases, draw_phases, rung_style
from attnclust.report._figures import Gallery, Table, as_csv
from attnclust.report._simulated import (
    FLOOR,
    Exhibit,
    checks_of,
    curves_of,
    over_runs,
    series_of,
    statements,
)
from attnclust.report._study import Study
from attnclust.report._text import count, number, percent

SILENT = ("paper_main", "paper_appendix", "linear", "product")
"""Rungs that never certify; composed they stay at the diameter of the whole, and one curve shows them all."""
QUOTED = 4
"""The level whose numbers are told in words."""


def ladder(study: Study, gallery: Gallery) -> Exhibit | None:
    """Every rung, composed over depth, beside what happens."""
    series = series_of(study, "ladder", "share_of_start")
    if "measured" not in series:
        return None
    loud = [name for name in series if name not in SILENT and name != "measured"]
    shown = {name: series[name] for name in ("measured", *reversed(loud))}
    styles = {name: rung_style(name) for name in loud} | {"measured": 0}
    if looser := [name for name in SILENT if name in series]:
        label = f"{looser[-1]}, and all looser rungs" if len(looser) > 1 else looser[-1]
        shown[label], styles[label] = series[looser[-1]], rung_style(looser[-1])
    figure = gallery.curves(
        "simulated-ladder",
        [Panel("", curves_of(shown, floor=FLOOR, styles=styles), "diameter / diameter at level 0")],
        title="Certified diameters, composed over depth",
        caption="A cluster's diameter, and what each rung promises of it from level 0 and the attention "
        f"alone; mean over clusters, down to 10⁻⁹; {over_runs(series)}.",
        x_label="level",
        log=True,
        digits=4,
        columns=1,
        height=400,
    )
    checked, broken = checks_of(study, experiment="ladder", form="composed")
    quoted = [
        f"{number(series[name][QUOTED]['median'], 3)} {words}"
        for name, words in (("measured", "measured"), ("cluster_dobrushin", "by cluster_dobrushin"))
        if name in series and len(series[name]) > QUOTED
    ]
    return Exhibit(
        "The ladder against depth",
        [figure],
        statements("sharp", "cluster_dobrushin", "block_recursion", "dobrushin"),
        Markup(
            "Each rung rises with d and D, so it may be fed its own last promise. Of D, rungs from ranges "
            "know that it does not grow, and rungs that know the attention that it falls by τ(A). The "
            "paper's forms never promise less than the start; sharp does once the whole has come close "
            "together; what knows the attention follows the truth from the first level on: of the start, "
            "at level {level}, {quoted}. Of {checked} promises composed here, {broken} broken."
        ).format(
            level=QUOTED,
            quoted=" and ".join(quoted),
            checked=f"{checked:,}",
            broken=f"{broken or 'none'} {'were' if broken > 1 else 'was'}",
        ),
    )


def phases(study: Study, gallery: Gallery) -> Exhibit | None:
    """Spread against temperature."""
    table = study.table("simulated_phases")
    if table is None:
        return None
    rows = table.to_pylist()
    heats, spreads = (sorted({row[name] for row in rows}) for name in ("temperature", "spread"))
    share = {(row["quantity"], row["spread"], row["temperature"]): row["share"] for row in rows}
    grids = {
        quantity: np.array([[share[quantity, spread, heat] for heat in heats] for spread in spreads])
        for quantity in dict.fromkeys(row["quantity"] for row in rows)
    }
    shrinks = grids.pop("shrinks")
    calm = np.array(heats) <= 4
    names = ("temperature", "spread", "quantity", "share", "clusters")
    figure = gallery.drawing(
        "simulated-phases",
        draw_phases(
            Phases(heats, spreads, shrinks, {f"{name} certifies half": grid for name, grid in grids.items()}),
            x_label="β D² (inverse temperature)",
            y_label="cluster diameter / centres' distance",
            ground="share of clusters that shrink",
            border=4,
            border_label="β D² = 4: left of it all must shrink",
        ),
        title="Phase picture of one step",
        caption="Two clusters of eight tokens in eight coordinates; queries and keys drawn from a "
        f"Gaussian; {count(rows[0]['clusters'], 'cluster')} in each of {shrinks.size:,} fields. Left of a "
        "black line its rung certifies more than half of them.",
        alt=f"Left of β D² = 4, {percent(float(shrinks[:, calm].mean()))} of clusters shrink, right of it "
        f"{percent(float(shrinks[:, ~calm].mean()))}; fewest, {percent(float(shrinks.min()))}, where "
        "attention is sharp and clusters are wide.",
        table=Table(
            ["share that shrinks, by spread and β D²", *(number(heat, 1) for heat in heats[::4])],
            [
                [number(spread, 2), *(percent(float(value)) for value in line[::4])]
                for spread, line in list(zip(spreads, shrinks, strict=True))[::3]
            ],
            as_csv(names, [[row[name] for name in names] for row in rows]),
        ),
    )
    return Exhibit(
        "When clusters shrink, and when they do not",
        [figure],
        statements("cluster_cubic", "certificate", "cluster_dobrushin"),
        Markup(
            "While β D² ≤ 4, tanh(β d D / 4) D is below d: every cluster shrinks, whatever the weights. "
            "Beyond, attention may send the tokens of one cluster to different places, and wide clusters "
            "grow. sharp is silent soon after, since ranges forget which weight goes where; "
            "cluster_dobrushin, which knows the attention, certifies nearly all that shrinks as long as "
            "clusters are tighter than their distance."
        ),
    )
