"""Compiles somebody else's Ape project, so that the harness can be pointed at it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulkhead.chain.artifacts import Artifact

CONFIG_FILES = ("ape-config.yaml", "ape-config.yml", "ape-config.json")
LONGEST_REASON = 200


class ProjectError(Exception):
    """A folder cannot be compiled as an Ape project; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class CompiledContract(Artifact):
    """A contract of a compiled project.

    Attributes:
        runtime: deployed code with zeros in place of immutables; empty for interfaces.
    """

    runtime: bytes


def compile_project(folder: Path) -> dict[str, CompiledContract]:
    """Return the contracts of an Ape project by name; only what is out of date is compiled.

    Ape writes the result into the folder's ``.build``, as ``ape compile`` does.

    Raises:
        ProjectError: the folder is not an Ape project, or it does not compile.
    """
    _check_is_project(folder)
    # Ape takes seconds to import, and only this function needs it.
    import ape
    from ape.exceptions import ApeException
    from solcx.exceptions import SolcError, SolcInstallationError, SolcNotInstalled
    from yaml import YAMLError

    refusals = (ApeException, SolcError, SolcInstallationError, SolcNotInstalled, YAMLError)
    try:
        with _only_compiler_of(folder):
            containers = ape.Project(folder).load_contracts()
    except (*refusals, OSError) as error:
        raise ProjectError(f"{folder} does not compile: {_one_line(error)}") from error
    if not containers:
        raise ProjectError(f"{folder} has no contracts")
    return {name: _compiled(container.contract_type) for name, container in containers.items()}


def _check_is_project(folder: Path) -> None:
    if not folder.is_dir():
        raise ProjectError(f"{folder} is not a folder")
    settings = folder / "pyproject.toml"
    if any((folder / name).is_file() for name in CONFIG_FILES):
        return
    if settings.is_file() and "[tool.ape" in settings.read_text(encoding="utf-8"):
        return
    raise ProjectError(f"{folder} is not an Ape project: it has no {CONFIG_FILES[0]}")


@contextmanager
def _only_compiler_of(folder: Path) -> Iterator[None]:
    """Let a second compiler of the same folder wait, as both would write the same build."""
    build = folder / ".build"
    build.mkdir(exist_ok=True)
    with (build / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compiled(kind: Any) -> CompiledContract:
    return CompiledContract(
        name=kind.name,
        abi=[entry.model_dump(mode="json", by_alias=True) for entry in kind.abi],
        bytecode=_code(kind.deployment_bytecode),
        source=kind.source_id or "",
        runtime=_code(kind.runtime_bytecode),
    )


def _code(bytecode: Any) -> bytes:
    text = str(bytecode.bytecode or "") if bytecode else ""
    return bytes.fromhex(text.removeprefix("0x"))


def _one_line(error: Exception) -> str:
    """Return what went wrong and, if the compiler says so, in which line of which file."""
    url = getattr(getattr(error, "request", None), "url", None)
    if url is not None:
        return f"{url} is needed, and cannot be reached"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    place = next((line[3:].strip(" :") for line in lines if line.startswith("-->")), None)
    if place is not None:
        return f"{lines[0][:LONGEST_REASON]} ({place})"
    return ", ".join(lines)[:LONGEST_REASON] or type(error).__name__
