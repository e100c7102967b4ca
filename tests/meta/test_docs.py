"""Documents that keep what they say: links, commands, paths, IDs, tables, the worked example."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bulkhead.model import eip712, ledger, operators, signed_orders
from bulkhead.model.context import Context
from bulkhead.model.math import DAY
from bulkhead.model.parts import Parts
from bulkhead.model.policy import max_tier, min_status
from bulkhead.model.prices import PriceStatus
from bulkhead.model.roles import GUARDIAN
from bulkhead.model.types import (
    SETTLEMENT,
    AccountLedger,
    Action,
    Addresses,
    LedgerTotals,
    UnrealizedTotals,
    address,
    pack,
)
from bulkhead.model.world import World

ROOT = Path(__file__).resolve().parents[2]
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split()
DOCUMENTS = [ROOT / name for name in TRACKED if name.endswith(".md") and (ROOT / name).is_file()]
WAD = 10**18


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links__of_every_document__lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        file = (document.parent / path).resolve() if path else document
        if not file.exists():
            dead.append(target)
        elif anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            if anchor not in {
                re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings
            }:
                dead.append(target)
    assert dead == []


def test_commands__named_in_documents__exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    missing = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        missing += [
            f"{document.name}: make {target}"
            for target in re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)
            if not re.search(rf"^{target}:", makefile, re.MULTILINE)
        ]
        missing += [
            f"{document.name}: ape run {script}"
            for script in re.findall(r"`ape run ([a-z]+)", text)
            if not (ROOT / "scripts" / f"{script}.py").exists()
        ]
    assert missing == []


def test_paths__named_in_documents__exist() -> None:
    missing = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        named = re.findall(r"`((?:contracts|bulkhead|tests|docs|scripts|tools)/[\w./-]+)`", text)
        missing += [f"{document.name}: {path}" for path in named if not (ROOT / path).exists()]
    assert missing == []


def test_invariants__each_id__is_asserted() -> None:
    text = (ROOT / "docs" / "invariants.md").read_text(encoding="utf-8")
    ids = re.findall(r"^\| ([A-Z]{3,4}-\d) \|", text, re.MULTILINE)
    assert len(ids) >= 15
    sources = [
        (ROOT / name).read_text(encoding="utf-8")
        for name in TRACKED
        if name.startswith(("bulkhead/", "tests/")) and name.endswith(".py")
    ]
    for invariant in ids:
        assert any(invariant in source for source in sources), invariant


def test_tests__named_in_rounding__exist() -> None:
    text = (ROOT / "docs" / "rounding.md").read_text(encoding="utf-8")
    tests = "\n".join(
        (ROOT / name).read_text(encoding="utf-8")
        for name in TRACKED
        if name.startswith("tests/unit")
    )
    named = re.findall(r"`(test_\w+__\w+)`", text)
    assert len(named) > 10
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_policy__table_of_the_guard_page__is_the_code() -> None:
    text = (ROOT / "docs" / "spec" / "guard.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| ([A-Z]\w+) \| (\d) \|$", text, re.MULTILINE))
    assert stated == {_title(action): str(max_tier(action)) for action in Action}


def test_policy__table_of_the_oracle_page__is_the_code() -> None:
    text = (ROOT / "docs" / "spec" / "oracle.md").read_text(encoding="utf-8")
    header = "| action | " + " | ".join(status.name.title() for status in PriceStatus) + " |"
    assert header in text
    rows = re.findall(r"^\| ([A-Z]\w+) ((?:\| (?:yes|no) ){4})\|$", text, re.MULTILINE)
    stated = {name: [cell == "yes" for cell in re.findall(r"yes|no", row)] for name, row in rows}
    coded = {
        _title(action): [status >= min_status(action) for status in PriceStatus]
        for action in Action
    }
    assert stated == coded


def test_accounts__worked_example__gives_the_bytes_stated() -> None:
    text = (ROOT / "docs" / "spec" / "accounts.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| ([\w' ]+) \| `(\w+)` \|$", text, re.MULTILINE))
    context = Context(int(stated["deadline"]))
    parts = Parts(context, Addresses(account_operators=stated["contract"]))
    twin = operators.AccountOperators(parts, int(stated["chain id"]))
    account = int(stated["account"], 16)
    numbers = [int(stated[name]) for name in ("permissions", "expiresAt", "nonce", "deadline")]
    grant = (account, stated["operator"], *numbers)
    separator = eip712.domain_separator(
        operators.NAME, operators.VERSION, int(stated["chain id"]), stated["contract"]
    )
    assert "0x" + separator.hex() == stated["domain separator"]
    assert "0x" + twin.digest(*grant).hex() == stated["digest"]
    signature = eip712.sign(stated["owner's key"], twin.digest(*grant))
    assert "0x" + signature.hex() == stated["signature"]
    assert f"\n{operators.SET_OPERATOR}\n" in text
    twin.set_operator_by_signature(stated["contract"], *grant, signature)
    assert twin.permissions_of(account, stated["operator"]) == numbers[0]


def test_orders__worked_example__gives_the_bytes_stated() -> None:
    text = (ROOT / "docs" / "spec" / "orders.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| ([\w' ]+) \| `(-?\w+)` \|$", text, re.MULTILINE))
    parts = Parts(Context(0), Addresses(signed_orders=stated["contract"]))
    twin = signed_orders.SignedOrders(parts, int(stated["chain id"]))
    names = ("market", "size", "limitPrice", "expiresAt", "nonce", "flags")
    account = int(stated["account"], 16)
    numbers = [int(stated[name]) for name in names]
    order = signed_orders.SignedOrder(account, stated["signer"], *numbers)
    assert "0x" + twin.domain_separator().hex() == stated["domain separator"]
    assert "0x" + twin.hash_order(order).hex() == stated["digest"]
    signature = eip712.sign(stated["signer's key"], twin.hash_order(order))
    assert "0x" + signature.hex() == stated["signature"]
    assert f"\n{signed_orders.SIGNED_ORDER}\n" in text


def test_accounts__table_of_permissions__is_the_code() -> None:
    text = (ROOT / "docs" / "spec" / "accounts.md").read_text(encoding="utf-8")
    stated = {
        (permission, function)
        for permission, cell in re.findall(
            r"^\| `([A-Z_]+)` \| \d+ \| (.*) \|$", text, re.MULTILINE
        )
        for function in re.findall(r"`(\w+)`", cell)
    }
    engine, exchange, orders, delayed = (
        (ROOT / "contracts" / name).read_text(encoding="utf-8")
        for name in (
            "margin/MarginEngine.sol",
            "perps/PerpMarkets.sol",
            "perps/SignedOrders.sol",
            "perps/DelayedOrders.sol",
        )
    )
    coded = {("TRADE", "trade")}
    for body in re.split(r"\n    function ", engine + delayed)[1:]:
        name = re.match(r"\w+", body)
        assert name is not None
        coded |= {(bit, name[0]) for bit in re.findall(r"Permissions\.([A-Z_]+)", body)}
    for body in re.split(r"\n    function ", orders)[1:]:
        if "_requireManager(account)" in body:
            coded.add(("MANAGE_ORDERS", body[: body.index("(")]))
    assert stated == coded
    assert re.findall(r"Permissions\.([A-Z_]+)", orders) == ["TRADE", "MANAGE_ORDERS"]
    assert re.findall(r"Permissions\.([A-Z_]+)", exchange) == ["TRADE"]
    bits = dict(re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", text, re.MULTILINE))
    assert bits == {name: str(getattr(operators, name)) for name in bits}
    assert sum(map(int, bits.values())) == operators.ALL


def _title(action: Action) -> str:
    return "".join(part.title() for part in action.name.split("_"))


def test_ledger__worked_example__gives_the_numbers_stated() -> None:
    now = 1_800_000_000
    t = LedgerTotals(claims=800 * WAD, pool_cash=600 * WAD)
    u = UnrealizedTotals(positive=200 * WAD, net=200 * WAD)
    alice, bob = AccountLedger(claim=500 * WAD), AccountLedger(claim=300 * WAD)
    assert ledger.haircut(t, u, WAD) == 6 * WAD // 10
    assert ledger.convert(t, alice, u, 500 * WAD) == 300 * WAD
    assert (t.pool_cash, t.claims) == (300 * WAD, 300 * WAD)
    assert ledger.convert(t, bob, u, 300 * WAD) == 180 * WAD
    assert (t.pool_cash, t.claims) == (120 * WAD, 0)
    loser = AccountLedger(cash=80 * WAD)
    t.principal += 80 * WAD
    ledger.apply_loss(t, loser, 80 * WAD, now)
    assert t.pool_cash == 200 * WAD
    assert ledger.haircut(t, u, WAD) == WAD


def test_interest__worked_example__gives_the_numbers_stated() -> None:
    world = World()
    engine, exchange = world.margin_engine, world.addresses.perp_exchange
    lp, a, b = address(1), pack(address(2)), pack(address(3))
    for holder in (lp, address(2)):
        world.fund(holder, 10**10)
    world.liquidity_vault.deposit(lp, 1_400 * 10**6, lp)
    millionth = WAD // 10**6

    engine.settle(exchange, a, 0, -600 * WAD, 0, 0, 0)
    assert engine.borrow_state().rate == 14_375 * millionth // 100
    world.now += 4 * DAY
    assert engine.account_ledger(a).cash == -600_345 * WAD // 1_000
    engine.deposit(address(2), a, SETTLEMENT, 600_345_000)
    assert engine.totals().pool_cash == 2_000_345 * WAD // 1_000
    state = engine.borrow_state()
    assert (state.index, state.rate) == (1_000_575 * 10**21, 0)
    assert state.scaled_debt == engine.totals().debt == 0

    world.liquidity_vault.request_redeem(lp, world.liquidity_vault.balance_of(lp))
    world.liquidity_vault.withdraw(lp, 1_500_345_000, lp, lp)
    world.roles.grant_role(world.governor, GUARDIAN, lp)
    world.circuit_breaker.raise_(lp, 2, 3_600)
    engine.settle(exchange, b, 0, -500 * WAD, 0, 0, 0)
    assert engine.totals().pool_cash == 500 * WAD
    # What is owed together is rounded up by a wei, and so are utilisation and rate.
    assert 0 <= engine.borrow_state().rate - 309_375 * millionth // 1_000 <= 2
    world.now += 10 * DAY
    assert -engine.account_ledger(b).cash // millionth == 501_546_875
    engine.accrue_interest(lp, b)
    assert engine.borrow_state().index // 10**12 == 1_003_670_528_906_250


def test_sources__name_no_outside_place() -> None:
    """Lock files and sources carry no download addresses of registries."""
    forbidden = re.compile(r'"resolved"\s*:|--index-url|--extra-index-url')
    found = [
        name
        for name in TRACKED
        if name.endswith((".json", ".lock", ".in", ".toml"))
        and forbidden.search((ROOT / name).read_text(encoding="utf-8"))
    ]
    assert found == []
