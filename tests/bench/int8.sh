#!/bin/sh
# Adds ONNX Runtime's int8 models to a WORK folder that run.sh has filled; run.sh then times them.
#
#   tests/bench/int8.sh [WORK]
#
# Debian 12 has no quantizer, so one of Debian 13 is installed in a chroot in WORK: needs root,
# debootstrap and 1 GB.
set -eu
cd "$(dirname "$0")/../.."
. examples/packages.sh

work=${1:-build-bench/work}
[ -d "$work/models" ] || fail "no models in $work: run tests/bench/run.sh first"
[ "$(id -u)" = 0 ] || fail "not root: cannot make a chroot"
root=$work/trixie
mirror=${MIRROR:-$(sed -n 's/^URIs: //p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)}

install_packages debootstrap
if [ ! -e "$root/usr/bin/dpkg" ]; then
    say "Installing Debian 13 in $root"
    debootstrap --variant=minbase trixie "$root" ${mirror:+"$mirror"} >/dev/null
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
chroot "$root" apt-get update -qq
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends python3-onnxruntime python3-onnx python3-numpy >/dev/null

say "Quantizing"
mkdir -p "$root/models" "$root/proc"
mount --bind "$work/models" "$root/models"
mount -t proc proc "$root/proc"
trap 'umount "$root/models" "$root/proc"' EXIT
cp tests/bench/quantize.py "$root/quantize.py"
chroot "$root" python3 -W ignore /quantize.py /models
