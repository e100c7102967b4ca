"""Signed perpetual orders: their fields, their bounds, what is signed, and who signed it.

Sizes are WAD base units (positive buys), prices WAD settlement units per base unit, times Unix
seconds. Addresses are lower-case ``0x…`` here, accounts integers: the owner's address in the high
20 bytes, the sub-account in the low 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

from eth_utils.crypto import keccak as slow_keccak

from bulkhead.model import eip712

DOMAIN_NAME, DOMAIN_VERSION = "Bulkhead SignedOrders", "1"
ORDER_TYPE = (
    "SignedOrder(bytes32 account,address signer,uint8 market,int128 size,uint128 limitPrice,"
    "uint40 expiresAt,uint256 nonce,uint8 flags)"
)
CANCEL_TYPE = "CancelOrder(bytes32 orderHash)"
"""Signed by an order's owner or signer to take it out of this book; no contract knows it."""

POST_ONLY, REDUCE_ONLY = 1, 2
KNOWN_FLAGS = POST_ONLY | REDUCE_ONLY
MAX_SIGNATURE_BYTES = 2_048
"""Of a wallet's signature; a key's has 65."""

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_WORD = 1 << 256


def _optional(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        return None


_curve, _sha3 = _optional("coincurve"), _optional("sha3")
"""Native code, where there is a wheel: several times as fast as what stands in for it."""


def keccak(data: bytes) -> bytes:
    """Return the Keccak-256 hash."""
    return bytes(slow_keccak(data) if _sha3 is None else _sha3.keccak_256(data).digest())


class OrderRefused(ValueError):  # noqa: N818
    """An order or a request about one is refused, and nothing has changed.

    Attributes:
        code: what is wrong, for programs.
        status: the HTTP status that says so.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """What a trader signs.

    Attributes:
        account: whose position moves.
        signer: the owner, or an operator of hers.
        market: the market's id.
        size: WAD base units; positive buys, negative sells.
        limit_price: WAD; the highest price of a purchase, the lowest of a sale.
        expires_at: dead from this second on.
        nonce: any; spending it on chain cancels the order.
        flags: ``POST_ONLY``, ``REDUCE_ONLY``.
    """

    account: int
    signer: str
    market: int
    size: int
    limit_price: int
    expires_at: int
    nonce: int
    flags: int

    @property
    def owner(self) -> str:
        """The address of the account's owner."""
        return f"0x{self.account >> 96:040x}"

    @property
    def quantity(self) -> int:
        """The size without its sign, WAD."""
        return abs(self.size)

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.size > 0

    @property
    def is_post_only(self) -> bool:
        """Whether it may only rest, never take."""
        return bool(self.flags & POST_ONLY)

    def as_json(self) -> dict[str, Any]:
        """Return it as the API shows and takes it: large numbers are decimal strings."""
        return {
            "account": f"0x{self.account:064x}",
            "signer": self.signer,
            "market": self.market,
            "size": str(self.size),
            "limitPrice": str(self.limit_price),
            "expiresAt": self.expires_at,
            "nonce": str(self.nonce),
            "flags": self.flags,
        }

    def as_tuple(self) -> tuple[bytes, str, int, int, int, int, int, int]:
        """Return it as the contract's struct."""
        return (
            self.account.to_bytes(32, "big"),
            self.signer,
            self.market,
            self.size,
            self.limit_price,
            self.expires_at,
            self.nonce,
            self.flags,
        )


_BOUNDS = {
    "account": (0, _WORD - 1),
    "market": (0, (1 << 8) - 1),
    "size": (-(1 << 127), (1 << 127) - 1),
    "limitPrice": (1, (1 << 128) - 1),
    "expiresAt": (0, (1 << 40) - 1),
    "nonce": (0, _WORD - 1),
    "flags": (0, KNOWN_FLAGS),
}
_FIELDS = ("account", "signer", "market", "size", "limitPrice", "expiresAt", "nonce", "flags")
assert len(_FIELDS) == len(fields(SignedOrder))
_MOST_DIGITS = 80


def parse_order(raw: Any) -> SignedOrder:
    """Return an order from JSON.

    Args:
        raw: an object with exactly the struct's fields. Numbers are integers or decimal strings,
            ``account`` and ``signer`` hexadecimal strings of 32 and 20 bytes.

    Raises:
        OrderRefused: ``malformed`` or ``out_of_range``; the message names the field.
    """
    if not isinstance(raw, Mapping):
        raise OrderRefused("malformed", "an order is an object")
    if wrong := set(raw) ^ set(_FIELDS):
        raise OrderRefused("malformed", f"fields missing or unknown: {', '.join(sorted(wrong))}")
    account = int.from_bytes(parse_hex(raw["account"], 32, "account"), "big")
    signer = "0x" + parse_hex(raw["signer"], 20, "signer").hex()
    numbers = {name: _integer(raw[name], name) for name in _BOUNDS if name != "account"}
    order = SignedOrder(
        account,
        signer,
        numbers["market"],
        numbers["size"],
        numbers["limitPrice"],
        numbers["expiresAt"],
        numbers["nonce"],
        numbers["flags"],
    )
    check_bounds(order)
    return order


def check_bounds(order: SignedOrder) -> None:
    """Refuse an order whose fields do not fit the contract's types, or that says nothing.

    Raises:
        OrderRefused: ``out_of_range``.
    """
    market = (order.account, order.market, order.size, order.limit_price)
    values = (*market, order.expires_at, order.nonce, order.flags)
    for value, (name, (low, high)) in zip(values, _BOUNDS.items(), strict=True):
        if not low <= value <= high:
            raise OrderRefused("out_of_range", f"{name}: {value} is not in [{low}, {high}]")
    if order.size == 0:
        raise OrderRefused("out_of_range", "size: 0 buys and sells nothing")
    # Its absolute value would not fit the type of the contract's fills.
    if order.size == -(1 << 127):
        raise OrderRefused("out_of_range", f"size: {order.size} has no opposite")
    if int(order.signer, 16) == 0:
        raise OrderRefused("out_of_range", "signer: nobody signs as the zero address")


def parse_hex(value: Any, length: int | None, name: str) -> bytes:
    """Return the bytes of ``0x…``; any length if None is asked for.

    Raises:
        OrderRefused: ``malformed``.
    """
    if isinstance(value, str) and value.startswith("0x"):
        try:
            found = bytes.fromhex(value[2:]) if value.isalnum() else None
        except ValueError:
            found = None
        if found is not None and length in (None, len(found)):
            return found
    size = "" if length is None else f"{length} bytes of "
    raise OrderRefused("malformed", f"{name}: {size}hexadecimal with 0x expected")


def _integer(value: Any, name: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= _MOST_DIGITS:
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit():
            return int(value)
    raise OrderRefused("malformed", f"{name}: an integer, or one in a decimal string, expected")


class Domain:
    """What binds signatures to one contract on one chain.

    Args:
        chain_id: the chain's.
        contract: address of ``SignedOrders``.
    """

    def __init__(self, chain_id: int, contract: str) -> None:
        self.chain_id = chain_id
        self.contract = contract.lower()
        separator = eip712.domain_separator(DOMAIN_NAME, DOMAIN_VERSION, chain_id, self.contract)
        self._prefix = b"\x19\x01" + separator
        self._order_type = keccak(ORDER_TYPE.encode())
        self._cancel_type = keccak(CANCEL_TYPE.encode())

    def order_hash(self, order: SignedOrder) -> bytes:
        """Return the EIP-712 digest of an order: what is signed, and how it is called."""
        words = (
            self._order_type,
            order.account.to_bytes(32, "big"),
            bytes(12),
            bytes.fromhex(order.signer[2:]),
            order.market.to_bytes(32, "big"),
            order.size.to_bytes(32, "big", signed=True),
            order.limit_price.to_bytes(32, "big"),
            order.expires_at.to_bytes(32, "big"),
            order.nonce.to_bytes(32, "big"),
            order.flags.to_bytes(32, "big"),
        )
        return keccak(self._prefix + keccak(b"".join(words)))

    def cancel_hash(self, order_hash: bytes) -> bytes:
        """Return the EIP-712 digest of a request to take an order out of the book."""
        return keccak(self._prefix + keccak(self._cancel_type + order_hash))


def sign(key: bytes, digest: bytes) -> bytes:
    """Return r, s and v (27 or 28) of a key's signature, 65 bytes."""
    if _curve is None:
        return eip712.sign("0x" + key.hex(), digest)
    raw = _curve.PrivateKey(key).sign_recoverable(digest, hasher=None)
    return bytes(raw[:64]) + bytes([raw[64] + 27])


def address_of(key: bytes) -> str:
    """Return a key's address."""
    digest = bytes(31) + b"\x01"
    found = recover(digest, sign(key, digest))
    assert found is not None
    return found


def recover(digest: bytes, signature: bytes) -> str | None:
    """Return who signed; None if it is no signature that the contracts take.

    As in OpenZeppelin's ``ECDSA``: 65 bytes, v 27 or 28, s in the lower half.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    if _curve is None:
        found = eip712.recover(digest, signature)
        return None if int(found, 16) == 0 else found
    try:
        key = _curve.PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - 27]), digest, hasher=None
        )
    except ValueError:
        return None
    return "0x" + keccak(key.format(compressed=False)[1:])[12:].hex()
