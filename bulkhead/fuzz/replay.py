"""``ape run replay``: a trace played again, and the call at fault laid open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bulkhead.chain.anvil import AnvilError
from bulkhead.chain.codec import named
from bulkhead.fuzz.executors.ape import ApeExecutor
from bulkhead.fuzz.executors.base import ExecutorError, Outcome, digest, state_digest
from bulkhead.fuzz.executors.registry import make_executor
from bulkhead.fuzz.judge import Disagreement, Judged, Played
from bulkhead.fuzz.readable import with_names
from bulkhead.fuzz.sequence import Generated
from bulkhead.fuzz.session import Session, TargetError
from bulkhead.fuzz.trace import Trace, TraceError

_SIDE_BY_SIDE = 140
"""Columns from which chain and model stand beside each other."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What one executor made of a trace."""

    executor: str
    outcomes: list[Outcome]
    failure: Disagreement | None
    judged: Sequence[Judged]


def replay(
    path: Path, executors: Sequence[str], *, step: int | None = None, any_code: bool = False
) -> int:
    """Play a trace and print what happens; return the exit status: 0 if it fails as it did.

    Args:
        path: of the trace.
        executors: names; the first one's outcome is shown.
        step: number of the call to show, from 1; None: the one at fault, else the last.
        any_code: play it on other code than it was written for.

    Raises:
        ClickException: the trace, its target or an executor is not as it must be.
    """
    console = Console(soft_wrap=True)
    try:
        trace = Trace.load(path)
        with Session(trace.target, executors[0]) as session:
            _require_code(trace, session, any_code=any_code)
            generated = session.generate(trace.operations_of(session.target.catalogue))
            _compare_calls(trace, generated, console)
            runs = [_play(session, name, generated) for name in executors]
            _print_calls(generated, runs[0], console)
            at = _chosen(trace, runs[0], step, len(generated.played))
            if at is not None:
                _print_step(session, generated, runs[0], at, console)
            return _verdict(trace, runs, console)
    except (TraceError, TargetError, ExecutorError, AnvilError) as error:
        raise click.ClickException(str(error)) from None


def _require_code(trace: Trace, session: Session, *, any_code: bool) -> None:
    if trace.bytecode != session.bytecode and not any_code:
        raise TraceError(
            f"the trace is of other bytecode ({trace.bytecode[:12]}…, not "
            f"{session.bytecode[:12]}…): check out the code it is of, or add --any-code"
        )


def _compare_calls(trace: Trace, generated: Generated, console: Console) -> None:
    now = [("0x" + p.transaction.data.hex(), p.transaction.timestamp) for p in generated.played]
    then = [(call["data"], call["time"]) for call in trace.calls]
    if now != then:
        first = next(
            (i for i, (a, b) in enumerate(zip(now, then, strict=False)) if a != b),
            min(len(now), len(then)),
        )
        console.print(
            f"[yellow]since this trace was written the model has changed: from call {first + 1} on "
            "its operations become other calls; they are played as they are now[/yellow]"
        )


def _play(session: Session, name: str, generated: Generated) -> _Run:
    executor = session.executor
    own = executor.name == name
    if not own:
        executor = make_executor(name, session.node, session.target)
    try:
        outcomes = executor.run(generated.transactions)
    finally:
        if not own:
            executor.close()
    try:
        return _Run(name, outcomes, None, session.judge(generated, outcomes))
    except Disagreement as found:
        return _Run(name, outcomes, found, found.judged)


def _chosen(trace: Trace, run: _Run, step: int | None, count: int) -> int | None:
    """Return the number, from 0, of the call to lay open."""
    if step is not None:
        if step > count:
            raise TraceError(f"the trace has {count} calls, so there is no call {step}")
        return step - 1
    if run.failure is not None:
        return run.failure.at
    if trace.failure is not None and trace.failure.at < count:
        return trace.failure.at
    return count - 1 if count else None


def _print_calls(generated: Generated, run: _Run, console: Console) -> None:
    table = Table(box=None, title="Calls", title_justify="left")
    for name, justify in (("#", "right"), ("time", "right"), ("operation", "left")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("call", overflow="fold")
    table.add_column("on the chain")
    at = run.failure.at if run.failure else -1
    start = generated.played[0].transaction.timestamp if generated.played else 0
    for i, p in enumerate(generated.played):
        accepted = run.outcomes[i].accepted
        result = "accepted" if accepted else run.judged[i].result if i < len(run.judged) else "-"
        table.add_row(
            str(i + 1),
            f"+{p.transaction.timestamp - start} s",
            type(p.operation).__name__,
            f"{p.call.contract}.{p.call.function}",
            result,
            style="bold red" if i == at else "",
        )
    console.print(table)


def _print_step(
    session: Session,
    generated: Generated,
    run: _Run,
    at: int,
    console: Console,
) -> None:
    """Print one call: its tree, and beside it what the model says of it."""
    played = generated.played[at]
    console.print()
    console.print(f"[bold]call {at + 1}[/bold], by {played.operation}", highlight=False)
    tracer = session.executor
    own = isinstance(tracer, ApeExecutor)
    if not own:
        tracer = make_executor("ape", session.node, session.target)
    assert isinstance(tracer, ApeExecutor)
    try:
        tree = tracer.trace(generated.transactions, at)
    finally:
        if not own:
            tracer.close()
    panels = (
        Panel(Text.from_ansi(tree.strip()), title="the chain", title_align="left"),
        Panel(_model_view(session, played, run, at), title="the model", title_align="left"),
    )
    if console.width < _SIDE_BY_SIDE:
        for panel in reversed(panels):
            console.print(panel, soft_wrap=False)
        return
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(ratio=3, overflow="fold")
    grid.add_column(ratio=2, overflow="fold")
    grid.add_row(*panels)
    console.print(grid, soft_wrap=False)


def _model_view(session: Session, played: Played, run: _Run, at: int) -> Text:
    e = played.expected
    lines = [f"reverts with {e.error}" if e.error else f"accepts, returning {e.returned}"]
    lines += [f"logs {event.name}({named(event.args)})" for event in e.events]
    deep = run.outcomes[at].views
    if deep != e.views:
        lines += ["", "the state differs:"]
        lines += [f"  {line}" for line in session.target.view_differences(e.views, deep)][:20]
    else:
        lines += ["", "the state after it is the chain's"]
    return Text(with_names("\n".join(lines), session.target.deployment.accounts))


def _verdict(trace: Trace, runs: Sequence[_Run], console: Console) -> int:
    """Print whether it failed as it did, on every executor; return the exit status."""
    status = 0
    console.print()
    for run in runs:
        same = digest(run.outcomes) == trace.digest
        seen = "as recorded" if same else "not as recorded"
        state = state_digest(run.outcomes)[:12]
        words = f"{run.executor:>9}: everything seen is {seen}; state {state}"
        console.print(words, highlight=False)
        if run.failure is not None:
            words = with_names(str(run.failure), trace.accounts)
            console.print(f"           [red]{words}[/red]", highlight=False)
        wanted = None if trace.failure is None else (trace.failure.oracle, trace.failure.key)
        got = None if run.failure is None else run.failure.identity
        if wanted != got:
            status = 1
            console.print(_no_longer(trace, run), style="yellow", highlight=False)
    if len({digest(run.outcomes) for run in runs}) > 1:
        status = 1
        console.print("[bold red]the executors disagree[/bold red]")
    return status


def _no_longer(trace: Trace, run: _Run) -> str:
    if trace.failure is None:
        return "           the trace was written as one in which nothing is wrong"
    if run.failure is None:
        return f"           it no longer fails: {trace.failure.oracle} holds"
    return f"           it used to fail otherwise: {trace.failure.message}"
