#!/usr/bin/env bash
# Make the virtual environment. Usage: env.sh PYTHON VENV run|dev|hil|training
set -euo pipefail
python=$1 venv=$2 kind=$3
here=$(cd "$(dirname "$0")/.." && pwd)

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

for candidate in "$python" python3.13 python3.12 python3.11; do
  if fits "$candidate"; then chosen=$candidate; break; fi
done
if [ -z "${chosen:-}" ]; then
  echo "ductwatch needs Python 3.11, 3.12 or 3.13, and '$python' is none of them." >&2
  echo "Install one, or name it: make env PYTHON=/path/to/python3.12" >&2
  exit 1
fi

if [ ! -x "$venv/bin/pip" ]; then
  if ! "$chosen" -c 'import ensurepip, venv' 2>/dev/null; then
    bash "$here/scripts/need.sh" "python3-venv" "Python's venv module"
  fi
  echo "Making $venv with $("$chosen" --version)"
  "$chosen" -m venv --clear "$venv"
fi

echo "Installing ductwatch and what it needs into $venv"
pip=("$venv/bin/pip" --disable-pip-version-check --quiet install)
"${pip[@]}" --require-hashes -r "$here/requirements/$kind.txt"
"${pip[@]}" --require-hashes -r "$here/requirements/build.txt"
"${pip[@]}" --no-deps --no-build-isolation --editable "$here"
"$venv/bin/python" -m compileall -q "$here"/{drivers,firmware,model,ota}  # a service may not write there
