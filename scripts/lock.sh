#!/usr/bin/env bash
# Write the hashed lock files for Python 3.11 to 3.13 on every platform. Usage: lock.sh BIN
set -euo pipefail
compile=("$1/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
  --no-annotate --custom-compile-command "make lock" --upgrade)
"${compile[@]}" pyproject.toml --output-file requirements/run.txt
"${compile[@]}" pyproject.toml --extra dev --output-file requirements/dev.txt
echo 'setuptools>=77' | "${compile[@]}" - --output-file requirements/build.txt
