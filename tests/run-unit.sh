#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run-unit.sh PROGRAM...: runs the cmocka programs (under $RUN_UNDER, if set), $JOBS at a time (else two a CPU, at most
# 4: many wait more than they work), shows what failed and how long each took, and ends with one line of totals.
set -u

# One program, into its own log; a line for people; what failed, by name. Called once a program, see below.
run_one() {
    out=$1 program=$2
    name=${program#*/tests/}
    log=$out/$(echo "$name" | tr / _)
    began=$(date +%s%N)
    # shellcheck disable=SC2086 # RUN_UNDER is a command with its arguments
    ${RUN_UNDER:-} "$program" > "$log.log" 2>&1
    status=$?
    took=$((($(date +%s%N) - began) / 100000000))
    ok=$(grep -c '^\[       OK \]' "$log.log")
    bad=$(grep '^\[  FAILED  \] [a-z_0-9]*$' "$log.log" | sort -u | wc -l)
    broken=0 skipped=0
    if [ "$status" -ne 0 ]; then
        [ "$bad" -gt 0 ] || broken=1
        grep '^\[  FAILED  \] [a-z_0-9]*$' "$log.log" | sort -u | sed "s|^.* |unit FAILED: $name: |" > "$log.failed"
        [ "$bad" -gt 0 ] || echo "unit FAILED: $name: exit status $status" > "$log.failed"
        {
            cat "$log.log"
            echo "$program: exit status $status"
        } > "$log.shown"
    elif grep '^\[  SKIPPED \]' "$log.log" > "$log.shown"; then
        skipped=1
    elif [ "$ok" -eq 0 ]; then
        broken=1
        echo "unit FAILED: $name: ran no test" | tee "$log.failed" > "$log.shown"
    else
        printf '%-60s %3d ok %4d.%d s\n' "$name" "$ok" $((took / 10)) $((took % 10)) > "$log.shown"
    fi
    cat "$log.shown" # at once, so that those of two programs do not mix
    echo "$ok $((bad + broken)) $skipped" > "$log.counts"
}

if [ "${1:-}" = --one ]; then
    run_one "$2" "$3"
    exit 0
fi

out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
# Tests start servers by the name redis-server, which a system with redis-tools alone has not in its PATH.
if server=$(sh "$(dirname "$0")/servers/redis.sh" find); then
    PATH=$(dirname "$server"):$PATH
    export PATH
fi
cpus=$(nproc)
twice=$((cpus < 2 ? 2 * cpus : 4))
printf '%s\n' "$@" | xargs -P "${JOBS:-$twice}" -n 1 sh "$0" --one "$out"
cat "$out"/*.failed 2> /dev/null
cat "$out"/*.counts | awk -v programs=$# '
    {ok += $1; bad += $2; skipped += $3}
    END {
        bad += programs - NR
        printf "unit: %d passed, %d failed%s\n", ok, bad, skipped ? ", " skipped " skipped" : ""
        exit bad > 0
    }'
