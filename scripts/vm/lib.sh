# What the scripts of this folder share; sourced, by bash.
# shellcheck shell=bash
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
cache=${NTRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ntrace}
mkdir -p "$cache"
me=$(basename "$0")

say() { printf 'vm/%s: %s\n' "$me" "$*" >&2; }
stop() {
	say "$*"
	exit 1
}
need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null 2>&1 || stop "$1 is missing; run: apt-get install $2"
}

# kernel_folder KERNEL: where its packages are unpacked; fetched when they are not there yet
kernel_folder() {
	[ -e "$cache/kernels/$1/complete" ] || "$here/fetch" "$1"
	readlink -f "$cache/kernels/$1"
}
