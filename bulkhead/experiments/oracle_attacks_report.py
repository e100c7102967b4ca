"""The numbers of ``oracle-attacks`` for people: Markdown tables, sentences, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import plotly.graph_objects as go

from bulkhead.experiments.aggregator import WHOLE, open_actions
from bulkhead.experiments.concentrated import Cliff
from bulkhead.experiments.constant_product import Cost
from bulkhead.experiments.devnet_bounds import Bound
from bulkhead.experiments.document import markdown_table
from bulkhead.experiments.twap_attacks import HOLD, MODELS, ONE_BLOCK, UNOPPOSED, Measured
from bulkhead.experiments.weights import MINORITY, OUTAGE, Found, Reach
from bulkhead.model.oracle import PriceStatus
from bulkhead.report import theme
from bulkhead.report.panel import Panel

NOT_REACHABLE = "not reachable"
_SCALES = ((10**12, " tn"), (10**9, " bn"), (10**6, " M"), (10**3, " k"), (1, ""))
_COLORS = (theme.PRINCIPAL, theme.POOL, theme.INSURANCE, theme.DEBT)


def short(amount: Decimal | int) -> str:
    """Return an amount with three digits, below one with two: ``1.37 k``, ``16.4 tn``, ``0.50``."""
    value = Decimal(f"{Decimal(amount):.3g}")
    for scale, name in _SCALES:
        if value >= scale:
            scaled = value / scale
            digits = max(0, 2 - scaled.adjusted())
            return f"{scaled:,.{digits if scale > 1 or digits else 0}f}{name}"
    return f"{value:.{1 - value.adjusted()}f}"


def percent(fraction: Decimal, digits: int = 0) -> str:
    """Return a fraction as ``10 %``."""
    return f"{fraction * 100:,.{digits}f} %"


def minutes(seconds: int) -> str:
    """Return a window as ``10 min``."""
    return f"{seconds // 60} min"


# ---------------------------------------------------------------------- pools


def attacks_table(attacks: Sequence[Measured], model: str, values: Sequence[int]) -> str:
    """Return the cost of one model by window, move and value: ``capital / loss``."""
    chosen = [a for a in attacks if a.model == model]
    cells = {(a.window, a.move, a.value): _cost(a.cost) for a in chosen}
    rows = [
        [minutes(window), percent(move), *(cells[window, move, value] for value in values)]
        for window, move in sorted({(a.window, a.move) for a in chosen})
    ]
    return markdown_table(["window", "move", *(short(v) for v in values)], rows, words=2)


def unopposed_table(attacks: Sequence[Measured], values: Sequence[int]) -> str:
    """Return the cost without arbitrage by move and value: for the longest window, as for all."""
    chosen = [a for a in attacks if a.model == UNOPPOSED]
    longest = max(a.window for a in chosen)
    cells = {(a.move, a.value): _cost(a.cost) for a in chosen if a.window == longest}
    moves = sorted({a.move for a in chosen})
    rows = [[percent(move), *(cells[move, value] for value in values)] for move in moves]
    return markdown_table(["move", *(short(v) for v in values)], rows)


def _cost(cost: Cost | None) -> str:
    return NOT_REACHABLE if cost is None else f"{short(cost.capital)} / {short(cost.loss)}"


def agreement(attacks: Sequence[Measured]) -> str:
    """Return how far measurement and closed form are apart at most."""
    worst = max(a.error for a in attacks)
    return (
        f"{len(attacks)} attacks were executed. Capital and loss differ from the closed form by at "
        f"most {worst * 100:.6f} %."
    )


def liquidity_table(liquidity: Mapping[int, int]) -> str:
    """Return the pools' liquidity by value."""
    rows = [[short(value), f"{units:.2e}"] for value, units in liquidity.items()]
    return markdown_table(["value on each side", "liquidity, the pool's units"], rows, words=0)


def devnet_table(bounds: Sequence[Bound], moves: Sequence[Decimal]) -> str:
    """Return what the devnet's TWAP sources ask for, and what holding them costs there."""
    rows = [
        [
            b.asset,
            percent(b.share),
            minutes(b.window),
            f"{b.min_liquidity:.2e}",
            f"{short(b.value)} {b.quote}",
            *(f"{short(cost.loss)} {b.quote}" for cost in b.costs),
        ]
        for b in bounds
    ]
    head = ["asset", "weight of the TWAP", "window", "`min_liquidity`", "on each side"]
    head += [f"loss, +{percent(move)}" for move in moves]
    return markdown_table(head, rows)


def cliff_table(cliffs: Sequence[Cliff], attacks: Sequence[Measured]) -> str:
    """Return attacks past the end of the liquidity, below the same one on a full-range pool."""
    first = cliffs[0]
    rows = [
        ["full range", short(a.cost.capital), short(a.cost.loss), f"moved by {percent(a.move)}"]
        for a in attacks
        if a.model == ONE_BLOCK
        and (a.value, a.window, a.move) == (first.value, first.window, first.move)
        and a.cost is not None
    ]
    for c in cliffs:
        name = "half to twice the price"
        if c.own_value:
            name += f"; the attacker adds {short(c.own_value)} at the far price"
        result = (
            f"refused: `{c.refusal}`" if c.reached is None else f"moved by {percent(c.reached)}"
        )
        rows.append([name, short(c.cost.capital), short(c.cost.loss), result])
    head = ["liquidity", "capital", "loss", "adapter"]
    return (
        f"{short(first.value)} on each side, window of {minutes(first.window)}, to move the TWAP "
        f"by {percent(first.move)} in one block:\n\n{markdown_table(head, rows)}"
    )


def harmonic_finding(cliffs: Sequence[Cliff]) -> str:
    """Return what the bound on the harmonic mean stops, and what it does not, in a sentence each.

    Args:
        cliffs: the same push without and with liquidity of the attacker's.
    """
    without, own = sorted(cliffs, key=lambda c: c.own_value)
    assert without.reached is None
    assert own.reached is not None
    return (
        f"The push past the end of the liquidity was refused with `{without.refusal}`. With "
        f"{short(own.own_value)} of the attacker's own liquidity at the far price, in a pool with "
        f"{short(own.value)} on each side, the adapter answered, and the TWAP over "
        f"{minutes(own.window)} was {percent(own.reached)} too high after one block. It took "
        f"{short(own.cost.capital)} of capital and lost {short(own.cost.loss)}."
    )


def panels(attacks: Sequence[Measured], move: Decimal) -> list[Panel]:
    """Return loss against liquidity per window, one panel for each model with a loss to speak of.

    Args:
        attacks: all.
        move: the one that is shown.
    """
    shown = {
        ONE_BLOCK: "Push in one block, sell back in the next; nobody arbitrages.",
        HOLD: "Hold the spot for the whole window against arbitrage in every block.",
    }
    return [_panel(attacks, model, move, caption) for model, caption in shown.items()]


def _panel(attacks: Sequence[Measured], model: str, move: Decimal, caption: str) -> Panel:
    figure = go.Figure(layout=theme.layout(height=430, hovermode="closest"))
    chosen = [a for a in attacks if a.model == model and a.move == move and a.cost and a.predicted]
    windows = sorted({a.window for a in chosen})
    for window, color in zip(windows, _COLORS, strict=False):
        of_window = [a for a in chosen if a.window == window]
        figure.add_trace(
            go.Scatter(
                x=[a.value for a in of_window],
                y=[float(a.predicted.loss) for a in of_window if a.predicted],
                mode="lines",
                name=minutes(window),
                line={"color": color, "width": 1.6},
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[a.value for a in of_window],
                y=[float(a.cost.loss) for a in of_window if a.cost],
                mode="markers",
                name=minutes(window),
                line={"color": color},
                marker={"color": color, "size": 8},
            )
        )
    figure.update_xaxes(
        **theme.axis("value on each side of the pool", type="log", dtick=1, exponentformat="SI")
    )
    figure.update_yaxes(
        **theme.axis("loss, quote units", type="log", dtick=1, exponentformat="power")
    )
    title = f"{model}: loss of moving the TWAP by {percent(move)}"
    return Panel(
        model.replace(" ", "-"), title[0].upper() + title[1:], caption, figure, is_timed=False
    )


# ---------------------------------------------------------------------- weights


def weights_table(found: Sequence[Found], targets: Sequence[Decimal]) -> str:
    """Return how far an attacker moves the aggregate, by weight and quorum."""
    rows = []
    for f in found:
        c = f.case
        cells = [_target(len(c.attackers), f.targets[t]) for t in targets]
        rows.append(
            [
                f"{len(c.attackers)} of {c.sources}, {percent(Decimal(c.weight) / WHOLE, 2)}",
                str(len(c.silent)) if c.silent else "none",
                percent(Decimal(c.quorum) / WHOLE, 2),
                *cells,
                reaches(f.up, f.is_bounded),
                reaches(f.down, f.is_bounded),
                _name(f.held),
                _name(f.worst),
            ]
        )
    head = ["attacker's sources, weight", "silent", "quorum", *(f"+{percent(t)}" for t in targets)]
    head += ["farthest up", "farthest down", "farthest up, held", "worst status it can force"]
    return markdown_table(head, rows, words=len(head))


def silence_finding(found: Sequence[Found]) -> str:
    """Return how far a minority gets while all honest sources answer, and while some do not."""
    lines = []
    for share, who in (
        (MINORITY, "while all honest sources answer"),
        (OUTAGE, "while as many honest sources are silent as the quorum permits"),
    ):
        chosen = [f for f in found if f.case.share == share]
        ups = [f.up[-1].move for f in chosen]
        downs = [-f.down[-1].move for f in chosen]
        worst = min(reach.status for f in chosen for reach in (*f.up, *f.down))
        lines.append(
            f"{who}, a minority moved the price by up to {max(ups) * 100:.2f} % up and "
            f"{max(downs) * 100:.2f} % down, with status {_name(worst)} ({len(chosen)} cases)"
        )
    return f"{lines[0][0].upper()}{lines[0][1:]}; {lines[1]}."


def _target(sources: int, status: PriceStatus | None) -> str:
    if status is None:
        return NOT_REACHABLE
    return f"{sources} source{'s' if sources > 1 else ''}: {_name(status)}"


def reaches(found: Sequence[Reach], is_bounded: bool) -> str:
    """Return the farthest aggregates: ``+5.16 % Valid; +5.37 % Degraded``."""
    parts = [f"{r.move * 100:+.2f} % {_name(r.status)}".replace("-", "−") for r in found]
    if not is_bounded:
        parts[-1] = f"the adapters' bounds, {_name(found[-1].status)}"
    return "; ".join(parts)


def actions_table() -> str:
    """Return what is open on a price of each status in tier 0, from the policy."""
    rows = []
    for status in sorted(PriceStatus, reverse=True):
        actions = open_actions(status)
        names = ["".join(part.title() for part in a.name.split("_")) for a in actions]
        rows.append([_name(status), ", ".join(names) or "nothing that needs the price"])
    return markdown_table(["status", "open"], rows, words=2)


def _name(status: PriceStatus) -> str:
    return status.name.title()


# ---------------------------------------------------------------------- sentences


def headline(
    attacks: Sequence[Measured], cliffs: Sequence[Cliff], found: Sequence[Found]
) -> list[str]:
    """Return what to remember, for the terminal."""
    move = max(a.move for a in attacks)
    value = max(a.value for a in attacks)
    lines = [agreement(attacks)]
    for model in MODELS:
        cells = [
            f"{minutes(a.window)} {_cost(a.cost)}"
            for a in attacks
            if (a.model, a.move, a.value) == (model, move, value)
        ]
        lines.append(
            f"{model}, {short(value)} on each side, {percent(move)}, capital / loss: "
            + "; ".join(cells)
        )
    for c in cliffs:
        result = f"refused, {c.refusal}" if c.reached is None else f"moved {percent(c.reached)}"
        own = "with" if c.own_value else "without"
        lines.append(
            f"past the end of the liquidity, {own} the attacker's own: {_cost(c.cost)}: {result}"
        )
    lines += [
        f"{f.case.share} of {f.case.sources} sources, quorum {f.case.quorum}: "
        + reaches(f.up, f.is_bounded)
        for f in found
    ]
    return lines
