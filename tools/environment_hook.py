"""Runs at the start of every Python process of .venv (tools/setup.sh installs it there).

It makes `.venv/bin/ape` work without activation and without variables set by hand. It must stay
cheap and must never fail, as it runs before any other code.
"""

import importlib
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

_venv = Path(sys.prefix)
_bin = str(_venv / "bin")

# Not a default but an order: with another folder Ape would download a compiler.
os.environ["SOLCX_BINARY_PATH"] = str(_venv / "solcx")

# Ape keeps accounts, caches and process lists here; a global ~/.ape cannot interfere.
os.environ.setdefault("APE_DATA_FOLDER", str(_venv.parent / ".ape"))

# ape-foundry looks for anvil on the PATH.
if _bin not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = _bin + os.pathsep + os.environ.get("PATH", "")


class _CorrectApe:
    """Applies ape_freshness.py when Ape loads its Solidity plugin, which it does before it looks
    at any project. (Ape's own modules cannot be caught: under pytest they have another loader.)
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "ape_solidity":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_correct(module: ModuleType) -> None:
            execute(module)
            freshness = importlib.import_module("bulkhead_ape_freshness")  # beside this file
            freshness.install(importlib.import_module("ape.managers.project"))

        spec.loader.exec_module = execute_and_correct  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _CorrectApe())
