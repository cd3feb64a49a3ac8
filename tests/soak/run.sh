#!/bin/sh
# Uses the library for an hour on two threads, one input in ten broken: tests/soak/soak.c.
#
#   tests/soak/run.sh [SECONDS]
#
# Says every twentieth of the time what was tried, and at the end whether memory and open files
# stayed flat and every valid result the same. In the folder build-soak; not part of tests/run.sh.
set -eu
cd "$(dirname "$0")/../.."
. examples/packages.sh
build build-soak -Dtests=true -Dbuildtype=release -Dcli=false -Dexamples=false
[ -d build-soak/pool ] || /usr/bin/python3 tests/soak/pool.py build-soak/pool
cd build-soak
exec tests/soak/soak --seconds "${1:-3600}" pool/*
