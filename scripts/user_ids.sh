#!/usr/bin/env bash
# mmdebstrap makes root's files under user ids of the user's own: say the command that gives a user some, where there are
# none. adduser does so, other ways to make a user may not. Usage: user_ids.sh USER SUBUID-FILE SUBGID-FILE
set -euo pipefail
user=$1 subuid=$2 subgid=$3
count=65536 # as many as mmdebstrap wants

has_range() {
  [ -r "$1" ] && awk -F: -v name="$user" -v id="$(id -u "$user" 2>/dev/null)" -v count=$count \
    '($1 == name || $1 == id) && $3 >= count { found = 1 } END { exit !found }' "$1"
}

if has_range "$subuid" && has_range "$subgid"; then exit 0; fi
first=$({ cat "$subuid" "$subgid" 2>/dev/null || true; } |
  awk -F: -v next_id=100000 '$2 + $3 > next_id { next_id = $2 + $3 } END { printf "%d", next_id }')
range=$first-$((first + count - 1))
echo "Building a board image without root takes a range of user ids, and $user has none. Run this, then try again:" >&2
echo "    sudo usermod --add-subuids $range --add-subgids $range $user" >&2
exit 1
