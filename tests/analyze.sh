#!/bin/sh
# Static analysis: cppcheck, clang-tidy (profile .clang-tidy), gcc -fanalyzer and clang's warnings.
#
#   tests/analyze.sh [FILE...]        FILE: those that clang-tidy looks at; default all
#
# Debian packages cppcheck, clang, clang-tidy. No finding is allowed: what is no fault is silenced in
# its place, or in .clang-tidy and tests/cppcheck.txt, with the reason. Takes some ten minutes; not
# part of tests/run.sh.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
status=0

say "cppcheck"
cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppressions-list=tests/cppcheck.txt --suppress=missingInclude -j 2 -D_GNU_SOURCE -Iinclude -Ilib -Isrc \
    --template='{file}:{line}: {id}: {message}' lib src || status=1

say "gcc -fanalyzer"
(build build-analyze --werror -Dbuildtype=debugoptimized -Dtests=false -Dexamples=false -Dc_args=-fanalyzer) ||
    status=1

say "clang and clang-tidy"
[ -f build-tidy/build.ninja ] || CC=clang meson setup build-tidy -Dtests=false -Dexamples=false >/dev/null
(build build-tidy --werror) || status=1
# The kernels are compiled through lists of sets, which only repeat what one file shows.
files=${*:-$(git ls-files 'lib/*.c' 'src/*.c' | grep -v '^lib/engine/kernels/\|_avx')}
for file in $files; do
    clang-tidy -p build-tidy --quiet --warnings-as-errors='*' "$file" 2>/dev/null || status=1
done
[ $status = 0 ] && echo "no findings"
exit $status
