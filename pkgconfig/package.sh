#!/bin/sh
# Builds the Debian packages of this tree, as pkgconfig/debian/control lists them.
#
#   pkgconfig/package.sh FOLDER [OPTION OF DPKG-BUILDPACKAGE]...
#
# The tree is copied to FOLDER, with pkgconfig/debian as its debian/; packages and the source package
# are left there. What is missing to build them is named, with the command that installs it.
# tests/packages.sh does all that in a clean Debian, and tests the result.
set -eu
[ $# -ge 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."

version=$(sed -n 's/^#define SCARLET_VERSION_[MP][A-Z]* //p' include/scarlet/scarlet.h | paste -sd.)
packaged=$(sed -n '1s/.*(\(.*\)-.*/\1/p' pkgconfig/debian/changelog)
[ "$packaged" = "$version" ] || {
    echo "$0: pkgconfig/debian/changelog is of $packaged, the tree of $version: add an entry" >&2
    exit 1
}
name=libscarlet-$version
rm -rf "${folder:?}/$name"
tar --create --exclude-vcs --exclude='./build*' --exclude=./pkgconfig/debian --exclude=__pycache__ \
    --exclude='*.egg-info' --sort=name --owner=0 --group=0 \
    --transform="s,^\\.,$name," --xz --file="$folder/libscarlet_$version.orig.tar.xz" .
tar --extract --directory="$folder" --file="$folder/libscarlet_$version.orig.tar.xz"
cp -r pkgconfig/debian "$folder/$name/debian"
cd "$folder/$name"
dpkg-checkbuilddeps || {
    echo "$0: install that as root, then run this again:" >&2
    echo "    apt-get install dpkg-dev && apt-get build-dep $PWD" >&2
    exit 1
}
exec dpkg-buildpackage --no-sign "$@"
