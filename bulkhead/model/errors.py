"""What a model says of a call that must not be: its reverts, and invariants that are broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant's id, and what broke it in numbers."""

    id: str
    message: str


class ModelRevert(Exception):  # noqa: N818
    """The model's counterpart of a revert.

    A subclass is named after a Solidity error and raised with the error's arguments, in order;
    tests compare ``name`` and ``args`` with what the contract reverted with.
    """

    name: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__()
        if "name" not in cls.__dict__:
            cls.name = cls.__name__

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.args))})"


class Revert(ModelRevert):
    """A revert by name: ``Revert("Vault_ZeroShares", 5)``, for models that declare no classes."""

    def __init__(self, name: str, *args: object) -> None:
        super().__init__(*args)
        self.name = name  # type: ignore[misc]


class FullMulDivFailed(ModelRevert):
    """A full-width quotient does not fit 256 bits, or its divisor is zero."""


class RPowOverflow(ModelRevert):
    """A power does not fit 256 bits."""


class SafeCastOverflow(ModelRevert):
    """A value does not fit the type that it is cast to."""

    name = "Overflow"


class Panic(ModelRevert):
    """``(code)``: compiler-inserted check; 0x11 arithmetic, 0x12 division by zero."""


ARITHMETIC = 0x11
DIVISION_BY_ZERO = 0x12
