"""One exception class per custom error of signed orders; as ``reverts``."""
# ruff: noqa: N801

from __future__ import annotations

from bulkhead.model.errors import ModelRevert


class SignedOrders_NoMakers(ModelRevert):
    """There is nobody to take from."""


class SignedOrders_UnknownFlags(ModelRevert):
    """``(hash, given, known)``."""


class SignedOrders_ZeroSize(ModelRevert):
    """``(hash)``."""


class SignedOrders_Expired(ModelRevert):
    """``(hash, expiresAt, timestamp)``."""


class SignedOrders_Cancelled(ModelRevert):
    """``(account, nonce)``."""


class SignedOrders_InvalidSignature(ModelRevert):
    """``(hash, signer)``."""


class SignedOrders_PostOnly(ModelRevert):
    """``(hash)``."""


class SignedOrders_OtherMarket(ModelRevert):
    """``(takerMarket, makerMarket)``."""


class SignedOrders_SameSide(ModelRevert):
    """``(takerSize, makerSize)``."""


class SignedOrders_NotCrossing(ModelRevert):
    """``(buyLimit, sellLimit)``."""


class SignedOrders_SelfTrade(ModelRevert):
    """``(taker, maker)``."""


class SignedOrders_Overfill(ModelRevert):
    """``(hash, filled, size, orderSize)``."""


class SignedOrders_NonceNotHigher(ModelRevert):
    """``(account, nonce, least)``."""
