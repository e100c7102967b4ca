#!/usr/bin/env bash
# Installs the symbolic executor and its solvers into .venv-proofs, from its own lock file.
#
# Idempotent: a stamp holds the hash of the lock file, and an up-to-date environment returns at once.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
cd "$root"

venv=.venv-proofs
lock=tools/proofs/requirements.lock
# The path is part of it, as a virtual environment does not survive being moved.
wanted="$(git hash-object --no-filters -- "$lock") $root"
if [ "$(cat "$venv/.stamp" 2>/dev/null || true)" = "$wanted" ]; then exit 0; fi

log=.build-logs/proofs-pip.log
mkdir -p .build-logs
echo "[setup] $(grep -c '==' "$lock") Python packages for proofs (.venv-proofs)"
install() {
    "$(tools/check-prerequisites.sh --python)" -m venv --clear "$venv" &&
        "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps \
            --no-compile --only-binary :all: --require-hashes --requirement "$lock"
}
if ! install >"$log" 2>&1; then
    echo "[setup] FAILED; last lines of $log" >&2
    tail -n 25 "$log" >&2
    exit 1
fi
echo "$wanted" >"$venv/.stamp"
