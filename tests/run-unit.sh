#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run-unit.sh PROGRAM...: runs each cmocka program (under $RUN_UNDER, if set), shows what failed, and ends with one line of totals.
set -u
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
# Tests start servers by the name redis-server, which a system with redis-tools alone has not in its PATH.
if server=$(sh "$(dirname "$0")/servers/redis.sh" find); then
    PATH=$(dirname "$server"):$PATH
    export PATH
fi
passed=0 failed=0 broken=0 skipped=0
for program in "$@"; do
    # shellcheck disable=SC2086 # RUN_UNDER is a command with its arguments
    ${RUN_UNDER:-} "$program" > "$out/log" 2>&1
    status=$?
    ok=$(grep -c '^\[       OK \]' "$out/log")
    bad=$(grep '^\[  FAILED  \] [a-z_0-9]*$' "$out/log" | sort -u | wc -l)
    passed=$((passed + ok))
    if [ "$status" -ne 0 ]; then
        [ "$bad" -gt 0 ] && failed=$((failed + bad)) || broken=$((broken + 1))
        cat "$out/log"
        echo "$program: exit status $status"
        grep '^\[  FAILED  \] [a-z_0-9]*$' "$out/log" | sort -u | sed "s|^.* |unit FAILED: ${program#*/tests/}: |" >> "$out/failed"
        [ "$bad" -gt 0 ] || echo "unit FAILED: ${program#*/tests/}: exit status $status" >> "$out/failed"
    elif grep '^\[  SKIPPED \]' "$out/log"; then
        skipped=$((skipped + 1))
    else
        printf '%-60s %3d ok\n' "${program#*/tests/}" "$ok"
        [ "$ok" -gt 0 ] || { echo "$program ran no test"; broken=$((broken + 1)); }
    fi
done
[ ! -f "$out/failed" ] || cat "$out/failed"
echo "unit: $passed passed, $((failed + broken)) failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ $((failed + broken)) -eq 0 ]
