#!/bin/sh
# Writes the lock files anew: requirements.lock from requirements.in, here and in tools/proofs, and
# package-lock.json from package.json. None carries a download address, so that any registry or
# mirror will do.
# Needs network. Versions only move where the pins allow it.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"

# uv resolves for every platform and Python at once; pip could not. It stays out of .venv.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
echo '[lock 1/2] requirements.lock, tools/proofs/requirements.lock'
"$(tools/check-prerequisites.sh --python)" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
for folder in . tools/proofs; do
    "$scratch/venv/bin/uv" pip compile "$folder/requirements.in" \
        --override "$folder/requirements-overrides.in" --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade --quiet \
        --output-file "$folder/requirements.lock"
done

echo '[lock 2/2] package-lock.json'
npm install --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel=error
"$scratch/venv/bin/python" tools/complete_npm_lock.py
