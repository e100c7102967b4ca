"""Make Ape compile what is out of date: no less, and no more.

eth-ape 0.8.51 compares each source with its own last version only. So a contract keeps its old
bytecode when a library, parent or compiler setting changes, which makes tests pass on code that
no longer exists; and a file that defines no contract (types, errors) is compiled by every command.

Here a source is up to date if the hash of the compiler settings, of itself and of everything it
imports is the one it was last compiled from. tools/setup.sh installs this file into .venv, and
environment_hook.py calls `install` before Ape looks at a project.
"""

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

IMPORT = re.compile(r"""^\s*import\b[^;]*?["']([^"']+)["']""", re.MULTILINE)
SETTINGS = ("ape-config.yaml", "foundry.toml", "package-lock.json")

_digests: dict[str, tuple[object, dict[str, str]]] = {}


def source_digests(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """Map each source id to the hash of settings, source and imports; cached by file times."""
    paths = {path.relative_to(root).as_posix(): path for path in sorted(files)}
    settings = [root / name for name in SETTINGS if (root / name).is_file()]
    stats = [(str(p), (s := p.stat()).st_mtime_ns, s.st_size) for p in [*paths.values(), *settings]]
    known = _digests.get(str(root))
    if known and known[0] == stats:
        return known[1]

    texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    imports = {name: _imports(name, text) & texts.keys() for name, text in texts.items()}
    own = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    common = [hashlib.sha256(path.read_bytes()).hexdigest() for path in settings]
    digests = {}
    for name in texts:
        closure = {name}
        waiting = [name]
        while waiting:
            found = imports[waiting.pop()] - closure
            closure |= found
            waiting += found
        parts = common + [f"{member}={own[member]}" for member in sorted(closure)]
        digests[name] = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    _digests[str(root)] = (stats, digests)
    return digests


def _imports(name: str, text: str) -> set[str]:
    folder = posixpath.dirname(name)
    return {
        posixpath.normpath(posixpath.join(folder, target)) if target.startswith(".") else target
        for target in IMPORT.findall(text)
    }


class Record:
    """What each source was last compiled from, in a file beside Ape's own manifest."""

    def __init__(self, project: Any) -> None:
        self._project = project
        self._path = Path(project.manifest_path).parent / "compiled-from.json"

    def load(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def is_current(self, source_id: str, digest: str | None) -> bool:
        entry = self.load().get(source_id)
        contracts = self._project.manifest.contract_types or {}
        return (
            entry is not None
            and entry["digest"] == digest
            and all(name in contracts for name in entry["contracts"])
        )

    def add(self, digests: dict[str, str]) -> None:
        entries = self.load()
        contracts = self._project.manifest.contract_types or {}
        for source_id, digest in digests.items():
            names = sorted(name for name, ct in contracts.items() if ct.source_id == source_id)
            entries[source_id] = {"digest": digest, "contracts": names}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._path.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(entries, indent=1, sort_keys=True), encoding="utf-8")
        scratch.replace(self._path)


def install(module: ModuleType) -> None:
    """Replace the change detection of Ape's module `ape.managers.project`."""
    manager: Any = module.ContractManager
    compile_contracts, get = manager._compile_contracts, manager.get

    def digests_of(self: Any) -> dict[str, str]:
        return source_digests(Path(self.project.path), self.sources.paths)

    def source_id_of(self: Any, path: Path | str) -> str:
        return path if isinstance(path, str) else str(self.sources._get_source_id(path))

    def _detect_change(self: Any, path: Path | str) -> bool:
        source_id = source_id_of(self, path)
        if not (Path(self.project.path) / source_id).is_file():
            return False
        return not Record(self.project).is_current(source_id, digests_of(self).get(source_id))

    def _compile_contracts(
        self: Any, paths: Iterable[Path | str], excluded_compilers: list[str] | None = None
    ) -> None:
        paths = list(paths)
        before = digests_of(self)
        compile_contracts(self, paths, excluded_compilers=excluded_compilers)
        if not excluded_compilers:
            ids = {source_id_of(self, path) for path in paths}
            Record(self.project).add({name: before[name] for name in ids & before.keys()})

    def get_current(
        self: Any, name: str, compile_missing: bool = True, check_for_changes: bool = True
    ) -> Any:
        # One request for all that is out of date; Ape would compile the one file alone.
        if check_for_changes:
            self._compile_missing_contracts(self.sources.paths)
        return get(self, name, compile_missing=compile_missing, check_for_changes=False)

    manager._detect_change = _detect_change
    manager._compile_contracts = _compile_contracts
    manager.get = get_current
