#!/bin/sh
# Prints a Python 3.11 to 3.13 that really runs and can make virtual environments.
#
# A name on the PATH proves nothing: version managers leave stand-ins that fail when they are run.
# 3.11 and 3.13 come first, because Blender's own module exists for these.
set -u

fits() {
    "$1" -c '
import sys
import ensurepip, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

versions=${PYENV_ROOT:-$HOME/.pyenv}/versions
if [ -n "${PYTHON:-}" ] && ! fits "$PYTHON"; then
    echo "$PYTHON is not a Python 3.11 to 3.13 with its venv module." >&2
    exit 1
fi
for candidate in "${PYTHON:-}" python3.11 python3.13 python3.12 python3 python \
    "$versions"/3.11*/bin/python "$versions"/3.13*/bin/python "$versions"/3.12*/bin/python; do
    if [ -n "$candidate" ] && fits "$candidate"; then
        "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
        exit 0
    fi
done
echo 'Strip Mocap needs Python 3.11, 3.12 or 3.13 with its venv module.' >&2
echo 'Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name it:' >&2
echo '    make PYTHON=/path/to/python3.11 demo' >&2
exit 1
