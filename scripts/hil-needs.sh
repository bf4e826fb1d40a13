#!/usr/bin/env bash
# Install the programs that the virtual bench needs, or say the one command that does. Usage: hil-needs.sh [PYTHON]
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
PATH="$PATH:/usr/sbin:/sbin"

packages=()
need() { command -v "$1" >/dev/null || packages+=("$2"); }

need qemu-system-x86_64 qemu-system-x86
need qemu-img qemu-utils
need ssh openssh-client
need mosquitto mosquitto
need mcopy mtools
need stress-ng stress-ng
(cd "$here" && "${1:-python3}" -c 'from hil.accelerator import ovmf; ovmf()' 2>/dev/null) || packages+=(ovmf)

if [ ${#packages[@]} -gt 0 ]; then
  bash "$here/scripts/need.sh" "${packages[*]}" "The virtual bench: QEMU and what goes with it"
fi
bash "$here/scripts/image_tools.sh" amd64
