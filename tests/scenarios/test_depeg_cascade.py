"""The depeg cascade on a live chain: it happens, repeats, is judged, and can be stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from rich.console import Console

from bulkhead.agents.view import MarketView
from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts, ensure_compiled
from bulkhead.chain.contract import decode_log
from bulkhead.chain.rpc import parse_log
from bulkhead.report.record import RunRecord
from bulkhead.scenarios.command import play_depeg_cascade
from bulkhead.scenarios.depeg_cascade import MIN_STEPS, DepegCascade, DepegOptions

SHORT = DepegOptions(seed=7, steps=36, traders=24)
TINY = DepegOptions(seed=3, steps=MIN_STEPS, traders=4)
WORD = 32
UNCONFIRMED, VALID = 1, 3


@pytest.fixture(scope="module")
def artifacts() -> Artifacts:
    return ensure_compiled()


@pytest.fixture(scope="module")
def record(artifacts: Artifacts) -> RunRecord:
    """A short run, whole."""
    return DepegCascade(SHORT, artifacts=artifacts).play()


def test_run__prices_that_move_far__wait_for_a_second_look_and_all_holds(
    artifacts: Artifacts,
) -> None:
    """As deep as it gets, in so few steps that a step moves prices beyond the oracle's limit."""
    scenario = DepegCascade(replace(SHORT, severity=1.0), artifacts=artifacts)
    recorded: Counter[int] = Counter()

    def watch(_step: int, _view: MarketView) -> None:
        rpc, oracle = scenario.world.rpc, scenario.world.contract("OracleAggregator")
        last = rpc.block_number()
        blocks = {"address": oracle.address, "fromBlock": hex(last - 1), "toBlock": hex(last)}
        for raw in rpc.request("eth_getLogs", [blocks]):
            event = decode_log(parse_log(raw))
            if event is not None and event.name == "PriceRecorded":
                recorded[event.args.data.status] += 1

    record = scenario.play(watch)
    assert recorded[UNCONFIRMED] > 0
    assert recorded[VALID] > recorded[UNCONFIRMED]
    assert record.violations == []
    assert set(record.summary["invariants"].values()) == {"held"}
    assert record.summary["liquidations"] > 10
    assert int(record.losses["nobody"]) == 0


def without_duration(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in summary.items() if name != "duration_seconds"}


def test_run__cascade__happens(record: RunRecord) -> None:
    s = record.summary
    assert s["liquidations"] > 10
    assert s["auctions"] > 0
    assert s["bad_debt_wei"] > 0
    assert s["insurance_paid_wei"] > 0
    assert s["max_tier"] >= 2
    assert any(change["to"] > change["from"] for change in record.tier_changes)
    assert s["max_discount_bps"] > 500


def test_run__every_invariant__was_checked_and_held(record: RunRecord) -> None:
    assert record.violations == []
    assert set(record.summary["invariants"].values()) == {"held"}


def test_run__accounts__add_up_to_the_wei(record: RunRecord) -> None:
    flows = {row: {p: int(v) for p, v in flow.items()} for row, flow in record.flows.items()}
    surplus = flows.pop("surplus")["custody"]
    closing, opening = flows.pop("closing balance"), flows.pop("opening balance")
    for pot in ("principal", "pool", "insurance", "fees", "debt", "claims"):
        assert opening[pot] + sum(flow[pot] for flow in flows.values()) == closing[pot], pot
    assert surplus == record.summary["custody_surplus_wei"] >= 0
    assert int(record.losses["nobody"]) == 0
    for row in record.collateral:
        moved = sum(int(row[n]) for n in ("deposited", "withdrawn", "auctioned", "forfeited"))
        assert int(row["opening"]) + moved == int(row["closing"]) <= int(row["custody"])


def test_run__same_seed__gives_the_same_summary(record: RunRecord, artifacts: Artifacts) -> None:
    again = DepegCascade(SHORT, artifacts=artifacts).play()
    assert without_duration(again.summary) == without_duration(record.summary)
    assert again.series == record.series


def steal_tokens(scenario: DepegCascade) -> None:
    """Take one unit of the settlement token out of custody, behind the contracts' back."""
    world = scenario.world
    usdb = world.book.tokens["USDB"]
    vault = bytes.fromhex(world.book.contracts["CollateralVault"][2:]).rjust(WORD, b"\0")
    slot = "0x" + keccak(vault + bytes(WORD)).hex()
    held = int(world.rpc.request("eth_getStorageAt", [usdb, slot, "latest"]), 16)
    world.rpc.request("anvil_setStorageAt", [usdb, slot, f"0x{held - 1:064x}"])


def inflate_pool(scenario: DepegCascade) -> None:
    """Add a million units to the pool's cash in the ledger, without any tokens."""
    world = scenario.world
    engine, slot = world.book.contracts["MarginEngine"], "0x1"  # claims | poolCash
    word = int(world.rpc.request("eth_getStorageAt", [engine, slot, "latest"]), 16)
    false = word + ((10**6 * 10**18) << 128)
    world.rpc.request("anvil_setStorageAt", [engine, slot, f"0x{false:064x}"])


def rob_account(scenario: DepegCascade) -> None:
    """Halve the cash of a trader's account in the ledger."""
    world = scenario.world
    states = world.account_states(world.accounts)
    victim = next(a for a in states if a.cash > 10**18)
    # _accounts is the margin engine's first mapping: find its slot by looking for the cash.
    engine = world.book.contracts["MarginEngine"]
    for base in range(16):
        slot = "0x" + keccak(victim.account + base.to_bytes(WORD, "big")).hex()
        word = int(world.rpc.request("eth_getStorageAt", [engine, slot, "latest"]), 16)
        if word & (2**128 - 1) == victim.cash:
            false = word - victim.cash + victim.cash // 2
            world.rpc.request("anvil_setStorageAt", [engine, slot, f"0x{false:064x}"])
            return
    raise AssertionError("no slot holds the account's cash")


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        (steal_tokens, {"CUS-1"}),
        (inflate_pool, {"CUS-1", "EVT-1"}),
        (rob_account, {"EVT-1", "LED-1", "LED-2"}),
    ],
    ids=["tokens stolen from custody", "pool cash invented", "account robbed"],
)
def test_run__false_number__is_found(
    artifacts: Artifacts, tamper: Callable[[DepegCascade], None], broken: set[str]
) -> None:
    scenario = DepegCascade(TINY, artifacts=artifacts)
    tampered_after = 2

    def watch(step: int, view: MarketView) -> None:
        if step == tampered_after:
            tamper(scenario)
        if step == tampered_after + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scenario.play(watch)
    record = scenario.record("interrupted")
    assert {v["id"] for v in record.violations} >= broken
    first = min(v["block"] for v in record.violations)
    assert first == record.series["block"][2 * tampered_after], "in the very next block"
    assert record.summary["invariants"]["PNL-1"] == "held"


def test_run__on_a_running_node__leaves_it_as_it_was(artifacts: Artifacts) -> None:
    with Anvil(timestamp=1_800_000_000) as anvil:
        record = DepegCascade(TINY, rpc_url=anvil.url, artifacts=artifacts).play()
        assert record.summary["invariants"]["CUS-1"] == "held"
        block = anvil.rpc.block_number()
        sender, receiver = (a.address for a in anvil.accounts[:2])
        receipt = anvil.rpc.send_sync(sender, receiver, b"", value=1)
        assert receipt.block_number == block + 1, "it mines by itself again"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prices": Path("nowhere.csv")}, "nowhere.csv: cannot be read"),
        ({"ratio_column": "USDC"}, "--ratio-column needs --prices"),
    ],
)
def test_command__wrong_options__end_before_anything_starts(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    arguments = {"prices": None, "ratio_column": None, "rpc_url": None, **options}
    status = play_depeg_cascade(TINY, folder=tmp_path / "run", console=console, **arguments)
    assert status == 2
    assert words in console.export_text()
    assert not (tmp_path / "run").exists()


def test_command__no_node_at_the_url__says_so(tmp_path: Path) -> None:
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    status = play_depeg_cascade(
        TINY,
        prices=None,
        ratio_column=None,
        rpc_url="http://127.0.0.1:9",
        folder=tmp_path / "run",
        console=console,
    )
    assert status == 1
    assert "no node answers at http://127.0.0.1:9" in console.export_text()


PROGRAM = """
import sys
from pathlib import Path
from bulkhead.scenarios import command
from bulkhead.scenarios.depeg_cascade import DepegOptions
describe = command._state
def tell(view):
    print("step", view.step, flush=True)
    return describe(view)
command._state = tell
options = DepegOptions(seed=3, steps=2_000, traders=4)
sys.exit(
    command.play_depeg_cascade(
        options, prices=None, ratio_column=None, rpc_url=None, folder=Path(sys.argv[1])
    )
)
"""


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_command__stopped_half_way__writes_what_it_has_and_stops_anvil(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert any(line.startswith("step 3") for line in process.stdout), "it never got going"
    nodes = children_of(process.pid)
    assert nodes
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == status
    assert not any(map(is_alive, nodes))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["status"] == "interrupted"
    assert 0 < summary["blocks"] < 4_000
    assert "was interrupted" in (tmp_path / "report.html").read_text(encoding="utf-8")
