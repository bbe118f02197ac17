#!/bin/sh
# Prints the Python that runs the set-up: $PYTHON if given, else the environment's own, else the newest on PATH.
home=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1

fits() {
    "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -n "${PYTHON:-}" ]; then
    if fits "$PYTHON"; then
        printf '%s\n' "$PYTHON"
        exit 0
    fi
    echo "PYTHON=$PYTHON is not a Python 3.11 or newer with the venv module: set PYTHON to one, or unset it." >&2
    exit 1
fi

for candidate in "$home/.venv/bin/python" python3.13 python3.12 python3.11 python3.14 python3 python; do
    if command -v "$candidate" >/dev/null 2>&1 && fits "$candidate"; then
        printf '%s\n' "$candidate"
        exit 0
    fi
done
echo "Quintet needs Python 3.11 or newer with the venv module: install it (Debian and Ubuntu: apt install python3 python3-venv) or set PYTHON to one." >&2
exit 1
