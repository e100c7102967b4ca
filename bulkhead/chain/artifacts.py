"""ABI and bytecode by contract name, from what ``ape compile`` built."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from bulkhead import ROOT
from bulkhead.chain.codec import Abi
from bulkhead.chain.signals import exiting_on_signals

MANIFEST = ROOT / ".build" / "__local__.json"
CONTRACTS = ROOT / "contracts"
UNISWAP = ROOT / "node_modules" / "@uniswap"
UNISWAP_CONTRACTS = {
    "UniswapV3Factory": ("v3-core", "UniswapV3Factory.sol"),
    "UniswapV3Pool": ("v3-core", "UniswapV3Pool.sol"),
    "SwapRouter": ("v3-periphery", "SwapRouter.sol"),
    "NonfungiblePositionManager": ("v3-periphery", "NonfungiblePositionManager.sol"),
    "NonfungibleTokenPositionDescriptor": (
        "v3-periphery",
        "NonfungibleTokenPositionDescriptor.sol",
    ),
    "NFTDescriptor": ("v3-periphery", "libraries/NFTDescriptor.sol"),
    "QuoterV2": ("v3-periphery", "lens/QuoterV2.sol"),
}
"""npm package and source file by contract name."""


class ArtifactError(Exception):
    """A contract's build output is missing, too old or unreadable; the message says what to run."""


REPLACED_CODE = "BULKHEAD_REPLACED_CODE"
"""Environment variable that names a JSON file of creation codes by contract name, which take the
place of the built ones: how planted bugs are put under test."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What deploying and calling a contract needs.

    Attributes:
        name: the contract's name.
        abi: its ABI.
        bytecode: creation code, without constructor arguments; empty for interfaces.
        source: file it comes from, relative to the project; for packages, the package's name.
    """

    name: str
    abi: Abi
    bytecode: bytes
    source: str


class Artifacts(Mapping[str, Artifact]):
    """Artifacts by contract name.

    Raises:
        ArtifactError: on asking for a contract that was not built.
    """

    def __init__(self, artifacts: Mapping[str, Artifact], origin: str) -> None:
        self._artifacts = dict(artifacts)
        self._origin = origin

    def __getitem__(self, name: str) -> Artifact:
        try:
            return self._artifacts[name]
        except KeyError:
            raise ArtifactError(
                f"contract {name} is not in {self._origin}: run `ape compile`"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._artifacts

    def __iter__(self) -> Iterator[str]:
        return iter(self._artifacts)

    def __len__(self) -> int:
        return len(self._artifacts)

    def replace(self, *changed: Artifact) -> Artifacts:
        """Return a copy with some artifacts exchanged, by their names: mutants, say."""
        return Artifacts(
            {**self._artifacts, **{artifact.name: artifact for artifact in changed}}, self._origin
        )


def load_artifacts(manifest: Path = MANIFEST, *, check: bool = True) -> Artifacts:
    """Return all artifacts of the project. Parsed once per state of the file.

    Args:
        manifest: Ape's build output.
        check: refuse if a contract's source has changed since.

    Raises:
        ArtifactError: nothing was built, or something has changed since.
    """
    try:
        status = manifest.stat()
    except FileNotFoundError:
        raise ArtifactError("the contracts are not compiled: run `ape compile`") from None
    artifacts, sources = _parse(manifest, status.st_mtime_ns, status.st_size)
    if check and (changed := _changed_source(sources, status.st_mtime_ns)):
        raise ArtifactError(f"{changed} has changed since the last build: run `ape compile`")
    replaced = os.environ.get(REPLACED_CODE)
    return _with_replaced_code(artifacts, Path(replaced)) if replaced else artifacts


def _with_replaced_code(artifacts: Artifacts, file: Path) -> Artifacts:
    codes = _replaced_codes(file)
    return artifacts.replace(
        *(replace(artifacts[name], bytecode=code) for name, code in codes.items())
    )


@lru_cache(maxsize=1)
def _replaced_codes(file: Path) -> dict[str, bytes]:
    raw = json.loads(file.read_text(encoding="utf-8"))
    return {name: bytes.fromhex(code[2:]) for name, code in raw.items()}


def ensure_compiled(progress: Callable[[str], None] | None = None) -> Artifacts:
    """Return all artifacts, compiling first where needed (about a minute from nothing).

    Args:
        progress: is told once, before compiling.

    Raises:
        ArtifactError: the contracts do not compile; the compiler's words are in the message.
    """
    try:
        return load_artifacts()
    except ArtifactError:
        if progress:
            progress("compiling the contracts (about a minute from nothing)")
    MANIFEST.parent.mkdir(exist_ok=True)
    # Two compilers at once would overwrite each other's build: the second waits and finds it done.
    with (MANIFEST.parent / "compile.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return load_artifacts()
        except ArtifactError:
            _compile()
    return load_artifacts(check=False)


def _compile() -> None:
    """Run the compiler; if this is interrupted, end it together with what it started."""
    process = subprocess.Popen(
        [str(Path(sys.prefix) / "bin" / "ape"), "compile"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        with exiting_on_signals():
            output, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode != 0:
        raise ArtifactError(f"`ape compile` failed:\n{output[-2000:]}")


def uniswap_artifact(name: str, libraries: Mapping[str, str] | None = None) -> Artifact:
    """Return a Uniswap v3 contract as its npm package ships it.

    Args:
        name: a key of ``UNISWAP_CONTRACTS``.
        libraries: addresses of the libraries that it is linked with, by name.

    Raises:
        ArtifactError: the package is not installed, or a library is missing.
    """
    artifact, references = _uniswap(name)
    code = bytearray(artifact.bytecode)
    for library, starts in references.items():
        if libraries is None or library not in libraries:
            raise ArtifactError(f"{name} must be linked with {library}")
        for start in starts:
            code[start : start + 20] = bytes.fromhex(libraries[library][2:])
    return Artifact(name, artifact.abi, bytes(code), artifact.source)


def uniswap_abi(name: str) -> Abi:
    """Return the ABI of a Uniswap v3 contract, a key of ``UNISWAP_CONTRACTS``."""
    return _uniswap(name)[0].abi


@lru_cache(maxsize=64)
def _uniswap(name: str) -> tuple[Artifact, dict[str, list[int]]]:
    """Return an artifact with gaps, and where the gaps for each library are."""
    package, path = UNISWAP_CONTRACTS[name]
    file = UNISWAP / package / "artifacts" / "contracts" / path / f"{name}.json"
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(f"@uniswap/{package} is not installed: run `make setup`") from None
    references = {
        library: [place["start"] for place in places]
        for libraries in raw.get("linkReferences", {}).values()
        for library, places in libraries.items()
    }
    code = re.sub(r"__\$[0-9a-f]{34}\$__", "0" * 40, raw["bytecode"])
    return Artifact(name, raw["abi"], bytes.fromhex(code[2:]), f"@uniswap/{package}"), references


@lru_cache(maxsize=4)
def _parse(manifest: Path, _modified: int, _size: int) -> tuple[Artifacts, dict[str, str]]:
    """Return artifacts, and the text that each source had when it was compiled."""
    try:
        raw = json.loads(manifest.read_text(encoding="utf-8"))
        artifacts = {
            name: Artifact(
                name,
                kind.get("abi") or [],
                _code(kind.get("deploymentBytecode") or {}),
                kind.get("sourceId") or "",
            )
            for name, kind in (raw.get("contractTypes") or {}).items()
        }
        sources = {name: _text(source) for name, source in (raw.get("sources") or {}).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ArtifactError(f"{manifest.name} is damaged ({error}): run `ape compile`") from None
    return Artifacts(artifacts, "the last build"), sources


def _code(bytecode: Mapping[str, Any]) -> bytes:
    text = str(bytecode.get("bytecode") or "")
    return bytes.fromhex(text.removeprefix("0x"))


def _text(source: Mapping[str, Any]) -> str:
    content = source.get("content") or ""
    if isinstance(content, Mapping):  # Ape keeps numbered lines.
        return "\n".join(content[line] for line in sorted(content, key=int))
    return str(content)


def _changed_source(sources: Mapping[str, str], built: int) -> str | None:
    """Return a source that differs from what was compiled. Only newer files are read."""
    for file in CONTRACTS.rglob("*.sol"):
        if file.stat().st_mtime_ns <= built:
            continue
        name = file.relative_to(ROOT).as_posix()
        text = file.read_text(encoding="utf-8")
        if sources.get(name, "").rstrip() != text.rstrip():
            return name
    return None
