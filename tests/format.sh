#!/bin/sh
# Fails if clang-format 14 would lay out any C or C++ file in another way.
#
#   tests/format.sh         names the lines
#   tests/format.sh -i      changes them
#
# Other versions of clang-format lay out some lines differently: only 14 counts.
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- --dry-run -Werror
exec find bindings examples include lib src tests -name '*.[ch]' -exec clang-format-14 "$@" {} + \
    -o -name '*.[ch]pp' -exec clang-format-14 "$@" {} +
