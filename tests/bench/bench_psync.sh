#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench_psync.sh [MEGABYTES [RUNS]]: how long a backup by psync takes beside `redis-cli --rdb /dev/null`, which takes the
# same transfer and throws it away, and beside `redis-cli --rdb - | zstd -1`, which shows what the compression alone costs
# a server on the same CPUs: the medians of RUNS (5) runs of each in turn, over TCP from a server with MEGABYTES (500) of
# data. The server's own time is in all of them. The store is a folder in $TMPDIR or /tmp.
set -eu
cd "$(dirname "$0")/../.."
megabytes=${1:-500}
runs=${2:-5}
remora=${REMORA:-build/remora}
work=$(mktemp -d)
trap 'sh tests/servers/redis.sh stop "$work/data"; rm -rf "$work"' EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sh tests/servers/redis.sh start "$work/data" --port "$port" --repl-diskless-sync yes --repl-diskless-sync-delay 0
filled=0
while [ "$filled" -lt "$megabytes" ]; do
    redis-cli -s "$work/data/socket" --eval tests/integration/mixed.lua , 20 "$filled" > /dev/null
    filled=$((filled + 20))
done
"$remora" init --repo "$work/repo" --instance bench > /dev/null

# seconds COMMAND...: how long it took, on stdout.
seconds() {
    from=$(date +%s%N)
    "$@" > /dev/null 2> "$work/last.log" || { cat "$work/last.log" >&2; exit 1; }
    to=$(date +%s%N)
    awk "BEGIN { printf \"%.2f\n\", ($to - $from) / 1e9 }"
}
# It takes the whole dump, then cannot fsync /dev/null, and says so by its exit status.
take_and_throw_away() {
    redis-cli -p "$port" --rdb /dev/null 2>&1 | grep 'finished with success'
}
take_and_compress() {
    redis-cli -p "$port" --rdb - 2> /dev/null | zstd -1 -q > "$work/dump.zst"
}
run=0
while [ "$run" -lt "$runs" ]; do
    seconds take_and_throw_away >> "$work/plain"
    seconds take_and_compress >> "$work/compressed"
    seconds "$remora" backup --repo "$work/repo" --instance bench --redis-url "redis://127.0.0.1:$port" >> "$work/psync"
    sync
    run=$((run + 1))
done
median() {
    sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
raw=$("$remora" show latest --repo "$work/repo" --instance bench --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["manifest"]["members"]["rdb"]["raw_size"] >> 20)')
echo "dump: $raw MiB; medians of $runs runs"
echo "redis-cli --rdb /dev/null    $(median "$work/plain") s"
echo "redis-cli --rdb - | zstd -1  $(median "$work/compressed") s"
echo "remora backup (psync)        $(median "$work/psync") s"
for beside in plain compressed; do
    awk "BEGIN { printf \"to the %-21s %.2f\n\", \"$beside\", $(median "$work/psync") / $(median "$work/$beside") }"
done
