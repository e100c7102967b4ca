"""A live chain with the suite on it: bulk sending, blocks at chosen times, few requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from bulkhead.agents.view import (
    AccountState,
    MarketView,
    OutsidePrices,
    PoolState,
    Transaction,
    account_id,
)
from bulkhead.chain.codec import asset_id, checksum
from bulkhead.chain.contract import Contract, Event, decode_error, decode_log
from bulkhead.chain.rpc import Receipt, Rpc, RpcError
from bulkhead.deployment.addresses import AddressBook
from bulkhead.scenarios.abi import answer_decoder
from bulkhead.scenarios.books import EventBooks
from bulkhead.scenarios.lens import account_state, compartment_state, peg_view

BLOCK_GAS_LIMIT = 2_000_000_000
"""A step's transactions fit into one block, as they would into a few of a fast chain."""
TRANSACTION_GAS = 6_000_000
ETHER = 10**18
PEG = "LST"
UNLIMITED = 2**256 - 1

_POOL_ABI: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "slot0",
        "inputs": [],
        "outputs": [
            {"name": "sqrtPriceX96", "type": "uint160"},
            {"name": "tick", "type": "int24"},
            {"name": "observationIndex", "type": "uint16"},
            {"name": "observationCardinality", "type": "uint16"},
            {"name": "observationCardinalityNext", "type": "uint16"},
            {"name": "feeProtocol", "type": "uint8"},
            {"name": "unlocked", "type": "bool"},
        ],
    },
    {
        "type": "function",
        "name": "fee",
        "inputs": [],
        "outputs": [{"name": "", "type": "uint24"}],
    },
    {
        "type": "function",
        "name": "increaseObservationCardinalityNext",
        "inputs": [{"name": "observationCardinalityNext", "type": "uint16"}],
        "outputs": [],
    },
]
_UNISWAP_REASONS = {
    "SPL": "Uniswap SPL (price limit passed)",
    "STF": "Uniswap STF (transfer failed)",
}
_POOLS = {"LST/WETH": ("LST", "WETH"), "WETH/USDB": ("WETH", "USDB")}


class WorldError(Exception):
    """The chain cannot carry a scenario; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mined transaction: what was meant, what came of it.

    Attributes:
        transaction: as the agent meant it.
        events: decoded, in order; empty if refused.
        error: the custom error's name if it was refused.
    """

    transaction: Transaction
    events: tuple[Event, ...]
    error: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """A mined block. ``timestamp`` in Unix seconds."""

    number: int
    timestamp: int
    outcomes: tuple[Outcome, ...]

    @property
    def events(self) -> list[Event]:
        """All events of the block, in order."""
        return [event for outcome in self.outcomes for event in outcome.events]


class World:
    """One deployment on one node, driven by raw requests.

    Args:
        rpc: an Anvil node that the caller has to itself.
        book: the deployment, with spot markets.
    """

    def __init__(self, rpc: Rpc, book: AddressBook) -> None:
        self.rpc = rpc
        self.book = book
        missing = [name for name in _POOLS if name not in book.pools]
        if missing:
            raise WorldError(f"the deployment has no pool {', '.join(missing)}")
        names = (*book.contracts, *book.tokens, *book.feeds)
        self._contracts = {n: book.contract(rpc, n) for n in names if _is_known(rpc, book, n)}
        self._pools = {name: Contract(rpc, book.pools[name], _POOL_ABI, name) for name in _POOLS}
        self._fees = {name: int(pool.call("fee")) for name, pool in self._pools.items()}
        lens = self.contract("Lens").abi
        self._decoders = {
            str(entry["name"]): answer_decoder(entry)
            for entry in lens
            if entry.get("type") == "function"
        }
        self.accounts: list[bytes] = []
        shares = {book.contracts[v]: v for v in ("LiquidityVault", "InsuranceFund")}
        self.books = EventBooks(
            {address: symbol for symbol, address in book.tokens.items()} | shares,
            book.tokens[PEG],
            book.contracts["LiquidationEngine"],
            book.contracts["SignedOrders"],
            book.contracts["DelayedOrders"],
        )
        rpc.request("anvil_autoImpersonateAccount", [True])
        rpc.request("evm_setBlockGasLimit", [hex(BLOCK_GAS_LIMIT)])
        self.start_block = rpc.block_number()
        self.timestamp = rpc.timestamp()

    def contract(self, name: str) -> Contract:
        """Return one of the suite's contracts.

        Raises:
            WorldError: there is none of that name.
        """
        try:
            return self._contracts[name]
        except KeyError:
            raise WorldError(f"nothing named {name} is deployed") from None

    def watch(self, owner: str) -> bytes:
        """Include an owner's margin account in every view; return its id."""
        account = account_id(owner)
        if account not in self.accounts:
            self.accounts.append(account)
        return account

    # ------------------------------------------------------------------ writing

    def give_ether(self, addresses: Iterable[str], amount: int = 1_000_000 * ETHER) -> None:
        """Set the balances of addresses, in wei."""
        for result in self.rpc.batch([("anvil_setBalance", [a, hex(amount)]) for a in addresses]):
            if isinstance(result, RpcError):
                raise result

    def mine(self, transactions: Sequence[Transaction], timestamp: int) -> Block:
        """Send transactions in their order and mine them in one block at ``timestamp``.

        Raises:
            WorldError: the node did not take one, or left one out of the block.
        """
        for transaction in transactions:
            request = self._request(transaction)
            try:
                self.rpc.request("eth_sendTransaction", [request])
            except RpcError as error:
                raise WorldError(f"{transaction.purpose}: {error.message}") from error
        self.rpc.mine(timestamp)
        receipts = self.rpc.block_receipts("latest")
        if len(receipts) != len(transactions):
            raise WorldError(f"{len(receipts)} of {len(transactions)} transactions were mined")
        self.timestamp = timestamp
        number = receipts[0].block_number if receipts else self.rpc.block_number()
        errors = self._errors([r for r in receipts if not r.success])
        outcomes = tuple(
            Outcome(t, _decoded(r) if r.success else (), errors.get(r.hash))
            for t, r in zip(transactions, receipts, strict=True)
        )
        block = Block(number, timestamp, outcomes)
        self.books.apply_all(block.events)
        return block

    def _request(self, transaction: Transaction) -> dict[str, str]:
        contract = self._pools.get(transaction.contract) or self.contract(transaction.contract)
        data = contract.encode(transaction.function, *transaction.args)
        request = {
            "from": transaction.sender,
            "to": contract.address,
            "data": "0x" + data.hex(),
            "gas": hex(TRANSACTION_GAS),
            "gasPrice": "0x0",
        }
        if transaction.value:
            request["value"] = hex(transaction.value)
        return request

    def _errors(self, failed: Sequence[Receipt]) -> dict[str, str]:
        options = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
        requests = [("debug_traceTransaction", [r.hash, options]) for r in failed]
        found: dict[str, str] = {}
        for receipt, trace in zip(failed, self.rpc.batch(requests), strict=True):
            output = "0x" if isinstance(trace, RpcError) else str(trace.get("output") or "0x")
            found[receipt.hash] = error_name(bytes.fromhex(output[2:]))
        return found

    # ------------------------------------------------------------------ reading

    def simulate(self, transactions: Sequence[Transaction]) -> list[str | None]:
        """Try each transaction on its own; return its error's name, None where it works."""
        requests = [("eth_call", [self._request(t), "latest"]) for t in transactions]
        return [
            error_name(result.data) if isinstance(result, RpcError) else None
            for result in self.rpc.batch(requests)
        ]

    def view(self, step: int, outside: OutsidePrices) -> MarketView:
        """Read the whole state at the latest block, by one HTTP exchange."""
        lens, peg, lst = self.contract("Lens"), self.contract("PegMonitor"), self.contract(PEG)
        calls: list[tuple[Contract, str, tuple[Any, ...]]] = [
            (lens, "compartment", ()),
            (lens, "accounts", (self.accounts,)),
            (peg, "pegState", (asset_id(PEG),)),
            (peg, "valuation", (asset_id(PEG),)),
            (lst, "queueDelay", (100 * ETHER,)),
            *((pool, "slot0", ()) for pool in self._pools.values()),
        ]
        answers = self._read(calls)
        pools = {
            name: self._pool_state(name, slot0.sqrtPriceX96)
            for name, slot0 in zip(self._pools, answers[5:], strict=True)
        }
        states = [account_state(raw) for raw in answers[1]]
        return MarketView(
            step=step,
            timestamp=self.timestamp,
            outside=outside,
            compartment=compartment_state(answers[0]),
            accounts={s.account: s for s in states},
            peg=peg_view(answers[2], answers[3]),
            pools=pools,
            balances=self.books.balances,
            auctions=self.books.auctions,
            redemptions=tuple(self.books.redemptions.values()),
            exits=self.books.exits,
            orders=tuple(self.books.orders.values()),
            queue_delay_seconds=answers[4],
            simulate=self.simulate,
        )

    def account_states(self, accounts: Sequence[bytes]) -> list[AccountState]:
        """Return some accounts at the latest block."""
        [raw] = self._read([(self.contract("Lens"), "accounts", (list(accounts),))])
        return [account_state(r) for r in raw]

    def _read(self, calls: Sequence[tuple[Contract, str, tuple[Any, ...]]]) -> list[Any]:
        requests = [
            (
                "eth_call",
                [
                    {
                        "to": c.address,
                        "data": "0x" + c.encode(name, *args).hex(),
                        "gas": hex(BLOCK_GAS_LIMIT),
                    },
                    "latest",
                ],
            )
            for c, name, args in calls
        ]
        answers: list[Any] = []
        for (contract, name, _), result in zip(calls, self.rpc.batch(requests), strict=True):
            if isinstance(result, RpcError):
                raise WorldError(f"{contract.name}.{name}: {decode_error(result.data)}") from result
            data = bytes.fromhex(result[2:])
            decode = self._decoders.get(name) if contract.name == "Lens" else None
            answers.append(decode(data) if decode else contract.decode(name, data))
        return answers

    def _pool_state(self, name: str, sqrt_price_x96: int) -> PoolState:
        base, quote = _POOLS[name]
        return PoolState(
            base=self.book.tokens[base],
            quote=self.book.tokens[quote],
            base_decimals=self.book.decimals.get(base, 18),
            quote_decimals=self.book.decimals.get(quote, 18),
            fee=self._fees[name],
            sqrt_price_x96=sqrt_price_x96,
        )


def wallet(name: str) -> str:
    """Return the address of a made-up participant; nobody has its key, Anvil impersonates it."""
    return checksum("0x" + keccak(text=f"bulkhead scenario: {name}")[12:].hex())


def error_name(data: bytes) -> str:
    """Return a revert's error as one short name; Uniswap's reason strings in full."""
    error = decode_error(data)
    if error.name == "Error":
        reason = str(error.args[0])
        return _UNISWAP_REASONS.get(reason, f'Error("{reason}")')
    return str(error) if error.name in ("Panic", "") else error.name


def _decoded(receipt: Receipt) -> tuple[Event, ...]:
    events = (decode_log(log) for log in receipt.logs)
    return tuple(event for event in events if event is not None)


def _is_known(rpc: Rpc, book: AddressBook, name: str) -> bool:
    """Return whether an ABI is known: an address book may list contracts of other packages."""
    try:
        book.contract(rpc, name)
    except Exception:  # noqa: BLE001
        return False
    return True


def open_interest_units(view: MarketView) -> tuple[int, int]:
    """Return open long and short interest of all markets, WAD settlement units at the index."""
    longs = sum(m.open_interest_long * m.index_price // ETHER for m in view.compartment.markets)
    shorts = sum(m.open_interest_short * m.index_price // ETHER for m in view.compartment.markets)
    return longs, shorts
