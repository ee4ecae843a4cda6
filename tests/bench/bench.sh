#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh (make bench): what a backup and a restore cost, beside zstd on the same bytes in the same run.
#
# A dump of about 1 GB (MEGABYTES=N for another size) with everyday data is made once and kept in build/bench/. Every
# figure is the median of 3 runs (RUNS=N): wall time, CPU time (user and system), most resident memory. The files are in
# the page cache before the first run. Prints a table, and the ratios to `zstd -1`.
set -eu
cd "$(dirname "$0")/../.."
sh tests/install-packages.sh build demo test
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
exec python3 tests/bench/measure.py "$remora" "$dump" "$dir/work"
