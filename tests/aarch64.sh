#!/bin/sh
# Cross-builds libscarlet for 64-bit ARM and runs its tests by qemu's user-mode emulation.
#
#   tests/aarch64.sh
#
# As root on Debian 12 or 13, best one of its own: see tests/chroot.sh. The C tests run emulated; the
# references that networks and files are compared with are computed by this machine's PyTorch, those of
# pictures by ARM's Pillow: libjpeg-turbo decodes what no encoder writes differently there. Takes some
# minutes.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
install_packages $build_packages g++ gcc-aarch64-linux-gnu g++-aarch64-linux-gnu mmdebstrap qemu-user \
    locales python3-pytest python3-numpy python3-torch python3-torchvision python3-pil

# Debian's ARM libraries and Python, unpacked but not installed: some cannot be installed beside this machine's own.
build=$PWD/build-aarch64
root=$build/root
if [ ! -d "$root/usr/include" ]; then
    say "Unpacking ARM libraries"
    mkdir -p "$build"
    names=$(echo libc6-dev $libraries python3-pytest python3-numpy python3-pil python3-torchvision | tr ' ' ,)
    mmdebstrap --quiet --architectures=arm64 --variant=extract --include="$names" \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root"
fi
cat >"$build/cross.ini" <<END
[binaries]
c = ['aarch64-linux-gnu-gcc', '--sysroot=$root']
cpp = ['aarch64-linux-gnu-g++', '--sysroot=$root']
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = 'qemu-aarch64'
[properties]
sys_root = '$root'
pkg_config_libdir = '$root/usr/lib/aarch64-linux-gnu/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
END
# Loader and libraries of one build of the C library: the cross compiler's own loader with Debian's
# libraries loops for ever in pthread_create.
export QEMU_LD_PREFIX="$root"
export OMP_NUM_THREADS=1
cross= # said once, when the build is configured
[ -f "$build/tree/build.ninja" ] || cross=--cross-file=$build/cross.ini
build "$build/tree" --werror -Dtests=true $cross
qemu-aarch64 "$build/tree/src/scarlet" --version -v

status=0
say "Running the C tests"
meson test -C "$build/tree" --no-rebuild --print-errorlogs --timeout-multiplier 10 --suite unit --suite kernels \
    --suite network-c --suite threads --suite fuzz || status=1

# Python here, unless set otherwise; the programs under test there.
emulated() { # PROGRAM: a script that runs it
    script=$build/emulated/$(basename "$1")
    mkdir -p "$(dirname "$script")"
    printf '#!/bin/sh\nexec qemu-aarch64 "%s" "$@"\n' "$build/tree/$1" >"$script"
    chmod +x "$script"
    echo "$script"
}
export PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3
compare() { # FOLDER OR FILE, ARGUMENT OF PYTEST...
    say "Comparing with the references: $1"
    $python -m pytest -q -p no:cacheprovider -W ignore::UserWarning "$@" || status=1
}
SCARLET_NETWORK_RUN=$(emulated tests/network/network-run)
export SCARLET_NETWORK_RUN SCARLET_NETWORK_OPTIONS=engine=auto SCARLET_TEST_CACHE="$build/test-cache"
# At 32 and 96 pixels: emulation is slow. One set of kernels is here, so none to compare its bits with.
compare tests/network -k 'not 224 and not same_bits'
SCARLET_DUMP=$(emulated tests/formats/dump)
SCARLET_TORTURE=$(emulated tests/formats/torture)
export SCARLET_DUMP SCARLET_TORTURE
compare tests/formats/test_checkpoints.py

python="qemu-aarch64 $root/usr/bin/python3"
# numpy's libraries, which installing the packages would have linked to where they are looked for.
export LD_LIBRARY_PATH=/usr/lib/aarch64-linux-gnu/blas:/usr/lib/aarch64-linux-gnu/lapack
SCARLET_IMAGE_DUMP=$(emulated tests/image/image-dump)
SCARLET_MAKE_JPEG=$(emulated tests/image/image-make-jpeg)
export SCARLET_IMAGE_DUMP SCARLET_MAKE_JPEG
compare tests/image
exit $status
