"""EIP-712 and ECDSA as the contracts use them: OpenZeppelin's ``EIP712`` and ``ECDSA``.

Words are 32 bytes; integers, addresses and account numbers become words by ``word``.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from bulkhead.model.types import ZERO_ADDRESS, Address

CHAIN_ID = 31_337
"""Of local chains."""
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def word(value: int | Address | bytes) -> bytes:
    """Return a value as a word of the ABI."""
    if isinstance(value, bytes):
        return value.rjust(32, b"\0")
    return (int(value, 16) if isinstance(value, str) else value).to_bytes(32, "big")


def domain_separator(name: str, version: str, chain_id: int, contract: Address) -> bytes:
    """Return what binds a signature to one contract on one chain."""
    parts = (_hash(_DOMAIN), _hash(name), _hash(version), word(chain_id), word(contract))
    return bytes(keccak(b"".join(parts)))


def digest(separator: bytes, kind: str, values: Sequence[int | Address | bytes]) -> bytes:
    """Return what is signed for a struct of a type such as ``Permit(address owner,…)``."""
    struct = keccak(_hash(kind) + b"".join(map(word, values)))
    return bytes(keccak(b"\x19\x01" + separator + struct))


def sign(key: str, message: bytes) -> bytes:
    """Return r, s and v, 65 bytes, of the key ``0x…``."""
    made = PrivateKey(bytes.fromhex(key.removeprefix("0x"))).sign_msg_hash(message)
    return word(made.r) + word(made.s) + bytes([made.v + 27])


def recover(message: bytes, signature: bytes) -> Address:
    """Return who signed; the zero address if it is no signature: high s, odd v, wrong length."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return ZERO_ADDRESS
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if s > _HALF_ORDER:
        return ZERO_ADDRESS
    try:
        found = Signature(vrs=(signature[64] - 27, r, s)).recover_public_key_from_msg_hash(message)
    except (BadSignature, ValidationError):
        return ZERO_ADDRESS
    return str(found.to_address())


def _hash(text: str) -> bytes:
    return bytes(keccak(text=text))
