#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install-packages.sh GROUP...: installs the Debian packages of the groups that are missing: build, demo, test, rgw, swift,
# browser, bench, lint.
#
# Nothing missing: apt is not called and no privilege is needed. Otherwise it works as root or through sudo; with neither
# it names the packages and ends with status 1. Made for Debian 12 and 13.
#
# The server of the demo and the tests comes from redis-tools, which holds the same program as redis-server (that
# package adds a symbolic link, a user, and a system service that nobody asked for): see tests/servers/redis.sh.
set -eu

packages_of() {
    case $1 in
    build) echo gcc libc6-dev make pkg-config libhiredis-dev libzstd-dev libjansson-dev libssl-dev libcurl4-openssl-dev libs3-dev libarchive-dev libmicrohttpd-dev ;;
    demo) echo redis-tools zstd ;;
    test) echo libcmocka-dev python3 redis-tools zstd strace bindfs exfat-fuse exfatprogs e2fsprogs util-linux mount iproute2 git bash mandoc openssl libarchive-tools prometheus ;;
    rgw) echo radosgw ceph-mon ceph-osd ceph-common curl openssl python3 s3cmd faketime ;;
    swift) echo swift-proxy swift-account swift-container swift-object memcached curl python3 ;;
    browser) echo chromium chromium-driver fonts-inter fonts-dejavu-core ;;
    bench) echo awscli restic ;;
    lint) echo clang libclang-rt-dev clang-tidy clang-format cppcheck shellcheck valgrind libc6-dbg git ;;
    *)
        echo "install-packages.sh: no group '$1' (build, demo, test, rgw, swift, browser, bench, lint)" >&2
        exit 2
        ;;
    esac
}

[ $# -gt 0 ] || {
    echo "usage: install-packages.sh build|demo|test|rgw|swift|browser|bench|lint..." >&2
    exit 2
}
command -v dpkg-query > /dev/null || {
    echo "install-packages.sh: this is no Debian system; packages_of() in $0 lists what is needed" >&2
    exit 1
}

missing=
for group in "$@"; do
    wanted=$(packages_of "$group")
    for package in $wanted; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) || state=absent
        case "$state $missing " in
        installed*) ;;
        *" $package "*) ;;
        *) missing="$missing $package" ;;
        esac
    done
done
[ -n "$missing" ] || exit 0
missing=${missing# }

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then
    as_root=sudo
else
    echo "install-packages.sh: neither root nor sudo here; install these Debian packages, then run it again: $missing" >&2
    exit 1
fi

echo "installing: $missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# RUNLEVEL=1 keeps invoke-rc.d from starting services; none of the packages brings one, but one of their
# dependencies could.
# shellcheck disable=SC2086 # the words of $as_root and $missing are arguments
if ! { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qy install --no-install-recommends $missing; } \
    > "$log" 2>&1 < /dev/null; then
    tail -n 20 "$log" >&2
    echo "install-packages.sh: apt-get could not install: $missing" >&2
    exit 1
fi
