#!/bin/sh
# Builds the Debian packages, checks them with lintian, installs them and runs their tests.
#
#   tests/packages.sh
#
# As root on a Debian 12 or 13 that may be changed, best a clean one: see tests/chroot.sh. Takes some
# minutes; the packages are left in build-packages.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
install_packages build-essential debhelper lintian autopkgtest
folder=$PWD/build-packages
rm -rf "$folder"

say "Installing what the packages are built with"
mkdir -p "$folder/needs"
cp -r pkgconfig/debian "$folder/needs/debian"
(cd "$folder/needs" && alive "installing packages" apt-get build-dep -y -qq --no-install-recommends ./ >"$folder/build-dep.log" 2>&1) ||
    { cat "$folder/build-dep.log" >&2; exit 1; }

say "Building"
alive "building" pkgconfig/package.sh "$folder" >"$folder/build.log" 2>&1 ||
    { tail -50 "$folder/build.log" >&2; exit 1; }
(cd "$folder" && ls -sh --block-size=K ./*.deb)

say "lintian"
# Warnings count; but no bug of Debian's asks for this package, so none is closed by its first version.
lintian --allow-root --fail-on error,warning --info --suppress-tags initial-upload-closes-no-bugs \
    "$folder"/*.changes

say "Running the packages' tests"
status=0
(cd "$folder" && alive testing autopkgtest --output-dir="$folder/autopkgtest" ./*.dsc ./*.deb -- null) >"$folder/autopkgtest.log" 2>&1 || status=$?
cat "$folder/autopkgtest/summary"
[ $status = 0 ] || { tail -50 "$folder/autopkgtest.log" >&2; exit 1; }
