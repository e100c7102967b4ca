#!/usr/bin/env bash
# Installs everything the project needs into .venv and node_modules, from the lock files.
#
# Idempotent: stamps hold the hashes of the inputs, and an up-to-date tree returns at once.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
cd "$root"

logs=.build-logs
venv=.venv
child=''

# An interrupted step must not go on in the background: with -m each step is a process group of
# its own, which can be ended as a whole.
set -m
stop_child() {
    exec 2>/dev/null # bash would report the ended job
    if [ -n "$child" ]; then kill -- "-$child" || true; fi
    echo
    exit 130
}
trap stop_child INT TERM HUP

# Two setups at once (make in two terminals) would tear each other's environment down.
take_lock() {
    announced=''
    while ! mkdir "$logs/lock" 2>/dev/null; do
        owner=$(cat "$logs/lock/pid" 2>/dev/null || true)
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$logs/lock" # its owner was killed
            continue
        fi
        if [ -z "$announced" ]; then echo '[setup] waiting for another setup to finish'; fi
        announced=yes
        sleep 0.5
    done
    trap 'rm -rf "$logs/lock"' EXIT
    echo $$ >"$logs/lock/pid"
}

# run_step LABEL LOG COMMAND...: one line when it starts, how long it took, the log if it fails.
# On a terminal the seconds tick in place; elsewhere a dot per 10 seconds shows that it lives.
run_step() {
    label=$1 log=$logs/$2
    shift 2
    printf '%s' "$label"
    started=$(date +%s)
    "$@" >"$log" 2>&1 &
    child=$!
    ticks=0
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.2
        ticks=$((ticks + 1))
        if [ -t 1 ]; then
            printf '\r%s … %s s' "$label" "$(($(date +%s) - started))"
        elif [ $((ticks % 50)) -eq 0 ]; then
            printf ' .'
        fi
    done
    if wait "$child"; then
        child=''
        if [ -t 1 ]; then printf '\r%s' "$label"; fi
        printf ' … done in %s s\n' "$(($(date +%s) - started))"
    else
        child=''
        printf ' … FAILED\n'
        echo "---- last lines of $log" >&2
        tail -n 25 "$log" >&2
        exit 1
    fi
}

# git is there (checked first) and hashes files the same way on every platform. The path is
# part of it, as a virtual environment does not survive being moved.
fingerprint() {
    git hash-object --no-filters -- "$@" | git hash-object --stdin
    printf '%s\n' "$root"
}

# is_current STAMP FILE...: whether the step of that name last succeeded with these files.
is_current() {
    stamp=$1
    shift
    [ "$(cat "$stamp" 2>/dev/null || true)" = "$(fingerprint "$@")" ]
}

python_is_current() { is_current "$venv/.stamp-python" requirements.lock; }
npm_is_current() { is_current node_modules/.stamp package-lock.json; }
link_inputs='requirements.lock package-lock.json tools/setup.sh tools/environment_hook.py
    tools/ape_freshness.py'
# shellcheck disable=SC2086 # a list of plain names
links_are_current() { is_current "$venv/.stamp-links" $link_inputs; }

create_venv() {
    python=$(tools/check-prerequisites.sh --python)
    "$python" -m venv --clear "$venv"
}

# --no-deps: the lock is complete, and it overrides a few bounds (requirements-overrides.in).
# --no-compile: a third faster; Python compiles what is imported, when it is.
install_python_packages() {
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps \
        --no-compile --require-hashes --requirement requirements.lock
}

install_npm_packages() {
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
}

# The platform packages carry the native binaries. npm's own links start them through node and
# are missing when two packages claim one name, so the binaries themselves are linked.
link_binaries() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64 | Linux-amd64) platform=linux-amd64 ;;
        Linux-aarch64 | Linux-arm64) platform=linux-arm64 ;;
        Darwin-arm64) platform=darwin-arm64 ;;
        Darwin-x86_64) platform=darwin-amd64 ;;
        *)
            echo "no Foundry binaries are published for $(uname -s) on $(uname -m)"
            return 1
            ;;
    esac
    for tool in anvil forge cast; do
        binary=$root/node_modules/@foundry-rs/$tool-$platform/bin/$tool
        if [ ! -x "$binary" ]; then
            echo "$binary is missing: npm left out the optional package @foundry-rs/$tool-$platform"
            return 1
        fi
        ln -sfn "$binary" "$venv/bin/$tool"
    done

    # py-solc-x looks for compilers by file name, in a folder of their own.
    solc_version=$(node -p "require('./node_modules/solc/package.json').version")
    rm -rf "$venv/solcx"
    mkdir -p "$venv/solcx"
    ln -sfn "$root/tools/solc" "$venv/solcx/solc-v$solc_version"
    ln -sfn "$root/tools/solc" "$venv/bin/solc"
    "$venv/bin/solc" --version
    "$venv/bin/anvil" --version
    "$venv/bin/forge" --version
}

# What every Python process of the environment finds without any variable set by hand: the
# package `bulkhead`, the compiler, anvil (also when .venv is not activated), and a data folder
# that a global Ape configuration cannot disturb.
write_environment_hook() {
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$root" 'import bulkhead_environment' >"$site/bulkhead.pth"
    cp tools/environment_hook.py "$site/bulkhead_environment.py"
    cp tools/ape_freshness.py "$site/bulkhead_ape_freshness.py"
}

if python_is_current && npm_is_current && links_are_current; then
    exit 0
fi

tools/check-prerequisites.sh
mkdir -p "$logs"
take_lock

if ! python_is_current; then
    run_step '[setup 1/4] Python environment (.venv)' venv.log create_venv
    run_step "[setup 2/4] $(grep -c '==' requirements.lock) Python packages" pip.log \
        install_python_packages
    fingerprint requirements.lock >"$venv/.stamp-python"
fi
if ! npm_is_current; then
    run_step '[setup 3/4] npm packages (solc, Foundry, contract libraries)' npm.log \
        install_npm_packages
    fingerprint package-lock.json >node_modules/.stamp
fi
if ! links_are_current; then
    run_step '[setup 4/4] linking solc, anvil, forge, cast' link.log link_binaries
    write_environment_hook
    # shellcheck disable=SC2086 # a list of plain names
    fingerprint $link_inputs >"$venv/.stamp-links"
fi
echo 'Ready. To use the tools by hand: . .venv/bin/activate'
