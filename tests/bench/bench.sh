#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh [disk] [s3] (make bench, BENCH=s3 for one part): what a backup and a restore cost, beside zstd on the same
# bytes in the same run; and what a backup to S3 costs, beside `zstd | aws s3 cp` and restic into the same gateway.
#
# A dump of about 1 GB (MEGABYTES=N for another size) with everyday data is made once and kept in build/bench/. Every
# figure is the median of 3 runs (RUNS=N): wall time, CPU time (user and system), most resident memory. The files are in
# the page cache before the first run. Prints a table for each part, and the ratios to `zstd -1`.
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- disk s3
for part in "$@"; do
    case $part in
    disk) groups="build demo test" ;;
    s3) groups="build demo test rgw bench" ;;
    *)
        echo "usage: bench.sh [disk] [s3]" >&2
        exit 2
        ;;
    esac
    # shellcheck disable=SC2086 # several words
    sh tests/install-packages.sh $groups
done
remora=${REMORA:-build/remora}
megabytes=${MEGABYTES:-1000}
dir=build/bench
mkdir -p "$dir"
dump=$dir/$megabytes.rdb

if [ ! -s "$dump" ]; then
    echo "making $dump, once: a server is filled with everyday data"
    trap 'sh tests/servers/redis.sh stop "$server"; rm -rf "$server"' EXIT
    server=$(mktemp -d "${TMPDIR:-/tmp}/remora-bench.XXXXXX")
    sh tests/servers/redis.sh start "$server"
    part=0
    touch "$server/dump.rdb"
    until [ "$(wc -c < "$server/dump.rdb")" -ge $((megabytes * 1000000)) ]; do
        part=$((part + 1))
        for step in 1 2 3 4 5 6; do
            redis-cli -s "$server/socket" --eval tests/integration/mixed.lua , $((megabytes / 20)) $((part * 10 + step)) \
                > /dev/null
        done
        redis-cli -s "$server/socket" save > /dev/null
        echo "  $(($(wc -c < "$server/dump.rdb") / 1000000)) MB"
    done
    mv "$server/dump.rdb" "$dump"
    sh tests/servers/redis.sh stop "$server"
    rm -rf "$server"
    trap - EXIT
fi
for part in "$@"; do
    case $part in
    disk) python3 tests/bench/measure.py "$remora" "$dump" "$dir/work" ;;
    s3) sh tests/servers/rgw.sh run python3 tests/bench/measure_s3.py "$remora" "$dump" "$dir/work" ;;
    esac
done
