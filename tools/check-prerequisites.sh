#!/bin/sh
# Names, in one line each, the programs this project needs and the machine lacks.
#
# Usage: tools/check-prerequisites.sh [--python | --help]
#   --python  print the Python interpreter that setup should use, and nothing else
#
# POSIX shell on purpose: it must run where nothing is installed yet.
set -eu

missing=0

complain() {
    printf 'bulkhead: %s\n' "$1" >&2
    missing=1
}

# A command may exist and still not run (version-manager shims), so each candidate is tried.
python_is_recent() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' >/dev/null 2>&1
}

# 3.12 and 3.11 come first: for them every locked package has a ready-made wheel.
find_python() {
    for candidate in ${BULKHEAD_PYTHON:-} python3.12 python3.11 python3.13 python3.14 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 && python_is_recent "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return 0
        fi
    done
    return 1
}

case "${1:-}" in
    --python)
        find_python || exit 1
        exit 0
        ;;
    --help | -h)
        sed -n '2,5p' "$0" | cut -c3-
        exit 0
        ;;
esac

if python=$(find_python); then
    if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
        complain "$python cannot create virtual environments. Install its venv module (Debian, Ubuntu: apt install python3-venv)."
    fi
elif command -v python3 >/dev/null 2>&1; then
    found=$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null || echo 'no usable version')
    complain "Python 3.11 to 3.14 is needed, python3 is $found. Install 3.12 (python.org or your package manager) or set BULKHEAD_PYTHON to its path."
else
    complain "Python 3.11 to 3.14 is needed, none was found. Install 3.12 (python.org or your package manager)."
fi

if ! command -v node >/dev/null 2>&1; then
    complain "Node.js 20 or newer is needed, none was found. Install it (nodejs.org or your package manager)."
elif ! node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' >/dev/null 2>&1; then
    found=$(node --version 2>/dev/null || echo 'not usable')
    complain "Node.js 20 or newer is needed, node is $found. Install it (nodejs.org or your package manager)."
fi

if ! command -v npm >/dev/null 2>&1; then
    complain "npm is needed, none was found. It comes with Node.js (Debian, Ubuntu: apt install npm)."
fi

if ! command -v make >/dev/null 2>&1; then
    complain "make is needed, none was found. Install GNU make (Debian, Ubuntu: apt install make; macOS: xcode-select --install)."
fi

if ! command -v git >/dev/null 2>&1; then
    complain "git is needed, none was found. Install it (git-scm.com or your package manager)."
fi

exit "$missing"
