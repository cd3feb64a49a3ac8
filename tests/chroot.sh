#!/bin/sh
# Runs a command on this tree in a Debian of its own.
#
#   tests/chroot.sh SUITE FOLDER COMMAND...
#
#   tests/chroot.sh bookworm /var/tmp/debian-12 tests/run.sh          everything on Debian 12
#   tests/chroot.sh trixie /var/tmp/debian-13 tests/run.sh            and 13
#   tests/chroot.sh trixie /var/tmp/clean-13 tests/packages.sh      the packages, in a clean one
#
# As root. FOLDER is made with debootstrap unless it exists, and kept; the tree is copied to /src there,
# where what the command made is found afterwards.
set -eu
[ $# -ge 3 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2; }
suite=$1
root=$2
shift 2
[ "$(id -u)" = 0 ] || { echo "$0: not root" >&2; exit 1; }
if [ ! -d "$root" ]; then
    debootstrap --variant=minbase "$suite" "$root.new"
    mv "$root.new" "$root"
fi
found=$(. "$root/etc/os-release" && echo "$VERSION_CODENAME")
[ "$found" = "$suite" ] || { echo "$0: $root holds $found, not $suite" >&2; exit 1; }
cp /etc/resolv.conf "$root/etc/"
mkdir -p "$root/src"
find "$root/src" -mindepth 1 -maxdepth 1 ! -name 'build*' -exec rm -rf {} +
tar --create --directory="$(dirname "$0")/.." --exclude-vcs --exclude='./build*' . |
    tar --extract --directory="$root/src"
# Mounts and processes end with the command.
exec unshare --mount --pid --fork --kill-child sh -c '
    root=$1
    shift
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    exec chroot "$root" sh -c '\''cd /src && exec "$@"'\'' sh "$@"' sh "$root" "$@"
