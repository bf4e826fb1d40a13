#!/usr/bin/env bash
# Install a system package, or say the one command that does. Usage: need.sh PACKAGE WHAT-FOR
set -euo pipefail
package=$1 what=$2
command="apt-get update && apt-get install -y --no-install-recommends $package"

if ! command -v apt-get >/dev/null; then
  echo "$what is missing, and this is no Debian or Ubuntu. Install the equivalent of the package $package, then try again." >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then
  sudo=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  sudo=(sudo -n)
else
  echo "$what is missing, and installing it needs root. Run this, then try again:" >&2
  echo "    sudo sh -c '$command'" >&2
  exit 1
fi
echo "Installing $package ($what)"
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive sh -c "$command" >/dev/null
