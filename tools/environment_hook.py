"""Runs at the start of every Python process of .venv (tools/setup.sh installs it there).

It makes `.venv/bin/ape` work without activation and without variables set by hand. It must stay
cheap and must never fail, as it runs before any other code.
"""

import os
import sys
from pathlib import Path

_venv = Path(sys.prefix)
_bin = str(_venv / "bin")

# Not a default but an order: with another folder Ape would download a compiler.
os.environ["SOLCX_BINARY_PATH"] = str(_venv / "solcx")

# Ape keeps accounts, caches and process lists here; a global ~/.ape cannot interfere.
os.environ.setdefault("APE_DATA_FOLDER", str(_venv.parent / ".ape"))

# ape-foundry looks for anvil on the PATH.
if _bin not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = _bin + os.pathsep + os.environ.get("PATH", "")
