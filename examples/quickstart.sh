#!/bin/sh
# Installs what libscarlet needs, builds it and classifies the pictures that come with it.
#
#   examples/quickstart.sh [--no-install]
#
# Debian 12 or 13. Run it as root to have missing packages installed (--no-install: as they are); it may
# be run again and does only what is left to do. On two free CPUs it takes a minute or two, and on a bare
# Debian 600 MB, nearly all for packages.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
case $# in 0) ;; 1) ;; *) set -- "$*" ;; esac
case ${1:-} in
"") install_packages $build_packages ;;
--no-install) ;;
-h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit ;;
*) echo "$0: unknown argument: $1; see --help" >&2; exit 2 ;;
esac

build build-quickstart
scarlet=build-quickstart/src/scarlet model=examples/models/fashion-mnist-scarlet-c.safetensors
say "Classifying the pictures in examples/pictures"
$scarlet classify --top-k 2 --model $model examples/pictures
say "Try next"
cat <<END
$scarlet classify --model $model YOUR-PICTURE.jpg    # it knows ten kinds of clothes, light on black
$scarlet verify --model $model examples/labelled     # how many of 40 labelled pictures are right
$scarlet bench --model $model --opt precision=int8   # how fast this machine is
END
