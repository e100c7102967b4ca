"""Processor time of others is told from one's own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bulkhead.bench import neighbours
from bulkhead.bench.neighbours import Neighbours


class Machine:
    """A machine whose clocks the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.now, self.own, self._file = 0.0, 0.0, folder / "stat"
        monkeypatch.setattr(neighbours, "_STAT", self._file)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(os, "sysconf", lambda _: 100)
        monkeypatch.setattr(os, "times", lambda: os.times_result((self.own, 0, 0, 0, 0)))
        self.busy(0)

    def busy(self, seconds: int) -> None:
        # user nice system idle iowait irq softirq steal guest guest_nice
        words = f"{seconds * 60} 0 {seconds * 30} 99999 777 {seconds * 10} 0 0 {seconds * 60} 0"
        self._file.write_text(f"cpu  {words}\ncpu0 1 2 3\n", encoding="ascii")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_cores__are_those_of_others(machine: Machine) -> None:
    watched = Neighbours()
    machine.now, machine.own = 10, 4
    machine.busy(19)
    assert watched.cores() == pytest.approx(1.5)


def test_cores__are_never_less_than_none(machine: Machine) -> None:
    watched = Neighbours()
    machine.now, machine.own = 10, 4
    assert watched.cores() == 0


def test_cores__where_the_system_does_not_tell__are_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(neighbours, "_STAT", tmp_path / "none")
    assert Neighbours().cores() is None
