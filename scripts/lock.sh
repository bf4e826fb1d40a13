#!/usr/bin/env bash
# Write the hashed lock files for Python 3.11 to 3.13 on every platform. Usage: lock.sh BIN
set -euo pipefail
# uv looks at the lower bound of Requires-Python only: 1.3 of this one, which LiteRT needs, is for Python before 3.11.
constraints=$(mktemp)
trap 'rm -f "$constraints"' EXIT
echo 'backports-strenum<1.3' > "$constraints"
compile=("$1/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
  --no-annotate --custom-compile-command "make lock" --upgrade --constraints "$constraints")
"${compile[@]}" pyproject.toml --output-file requirements/run.txt
"${compile[@]}" pyproject.toml --extra dev --output-file requirements/dev.txt
"${compile[@]}" --constraints requirements/dev.txt pyproject.toml --extra dev --extra hil --output-file requirements/hil.txt
"${compile[@]}" --constraints requirements/dev.txt pyproject.toml --extra dev --extra train --output-file requirements/training.txt
# 3.1 has no wheel for Python 3.11. It has no others than for Linux on x86-64.
echo 'atheris>=3,<3.1' | "${compile[@]}" - --output-file requirements/fuzz.txt
# pip 26.3 prints setuptools' warnings at every `make env`, quiet or not.
printf '%s\n' 'packaging>=24' 'pip>=25,<26' 'setuptools>=77' |
  "${compile[@]}" --constraints requirements/dev.txt - --output-file requirements/build.txt
