#!/bin/sh
# Installs what libscarlet needs, builds it and classifies the pictures that come with it.
#
#   examples/quickstart.sh [--no-install]
#
# Debian 12 or 13. Run it as root to have missing packages installed; it may be run again and does
# only what is left to do.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh

[ "${1:-}" = --no-install ] || install_packages $build_packages
build build-quickstart -Dtests=false
echo "== Classifying the pictures in examples/pictures"
exec build-quickstart/src/scarlet classify --top-k 2 \
    --model examples/models/fashion-mnist-scarlet-c.safetensors examples/pictures
