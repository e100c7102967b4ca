"""What a replay is, and what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple


class ReplayError(Exception):
    """The world did not do what a replay stands on; the message says what."""


class Refusal(NamedTuple):
    """How something that was tried ended: the error's name, empty if it was accepted."""

    error: str

    @property
    def accepted(self) -> bool:
        """Whether it was accepted."""
        return not self.error

    def require(self, what: str) -> None:
        """Go on only if it was accepted.

        Raises:
            ReplayError: it was not.
        """
        if self.error:
            raise ReplayError(f"{what}: refused with {self.error}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the same events cost a naive rule and this suite. Amounts in WAD settlement units.

    A *loss* is credit given beyond what its collateral fetches, profit paid out on a false price,
    or what sound accounts lost by being liquidated; each incident says which.

    Attributes:
        naive_loss: of the naive rule, computed from what the same contracts answered.
        suite_loss: of this suite.
        accounts: accounts that a liquidation could have hit; 0 where liquidation is not the matter.
        naive_liquidated: how many of them the naive rule liquidates.
        suite_liquidated: how many of them this suite liquidated.
        answer: what this suite did, one sentence.
        refusals: name of the contract's error by what was tried; "" where it was accepted.
        figures: further numbers, by name with its unit.
    """

    naive_loss: int
    suite_loss: int
    answer: str
    accounts: int = 0
    naive_liquidated: int = 0
    suite_liquidated: int = 0
    refusals: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, int] = field(default_factory=dict)


class Incident(ABC):
    """One incident. ``play`` builds its own chain and leaves nothing behind.

    Attributes:
        name: what the command calls it.
        when: year and month.
        happened: what happened, one sentence.
        reported: what the original lost, as publicly reported; mostly from secondary sources.
        naive_rule: the rule that the suite is compared with.
        loss_means: what a loss is here.
        defence: what made the difference.
        without: what the negative control configures instead of the defence; or why no parameter
            can do that.
        caveat: what the loss of this suite leaves out; "" where it is all.
        has_control: whether there is a negative control: parameters that switch the defence off.
        second_line: what a confirmation as on the devnet does alone, without the defence; "" where
            it does nothing, because the false price can be held.
    """

    name: ClassVar[str]
    when: ClassVar[str]
    happened: ClassVar[str]
    reported: ClassVar[str]
    naive_rule: ClassVar[str]
    loss_means: ClassVar[str]
    defence: ClassVar[str]
    without: ClassVar[str]
    second_line: ClassVar[str] = ""
    caveat: ClassVar[str] = ""
    has_control: ClassVar[bool] = True

    @abstractmethod
    def play(self, *, defended: bool = True) -> Outcome:
        """Replay it on a chain of its own.

        Args:
            defended: False configures the suite without the defence that matters, see ``without``.

        Raises:
            AnvilError: Anvil did not start.
            ArtifactError: the contracts are not compiled.
            DeploymentError: a step of building the world failed.
            ContractReverted: a step of the replay failed that must not.
            ReplayError: likewise, of what may be refused or a source that does not answer; or a
                control was asked for and there is none.
        """

    def require_control(self, defended: bool) -> None:
        """Go on only if there is a replay of that kind.

        Raises:
            ReplayError: a control was asked for and there is none.
        """
        if not defended and not self.has_control:
            raise ReplayError(f"{self.name} has no control: {self.without}")

    def play_second_line(self) -> Outcome | None:
        """Replay it without the defence, but with ``max_move`` and delay as on the devnet.

        Returns:
            None where there is nothing to show; see ``second_line``.

        Raises:
            As ``play``.
        """
        return None
