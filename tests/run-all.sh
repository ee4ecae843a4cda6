#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run-all.sh test|campaign|checks: everything that proves remora, one step after the other, each with its closing line; a
# table of all steps at the end. Every step runs, also after one has failed; then the exit status is 1.
#
#   test      what a user runs: build, layers, unit tests, a share of the random mutations, the fuzzers' corpus, the
#             integration tests
#   campaign  the same with the full figures, and the unit tests under sanitizers and valgrind
#   checks    what .ci/run asks beside `test`: lint, clang, the sanitizers, valgrind, a clean tree
#
# The whole output of a step is in build/logs/STEP.log; SEED=N repeats a run's random choices.
set -u
cd "$(dirname "$0")/.." || exit 1
what=${1:-}
logs=build/logs/$what
SEED=${SEED:-$(date +%s)}
export SEED
jobs=$(nproc)
MAKEFLAGS=
export MAKEFLAGS

mkdir -p "$logs"
rm -f "$logs"/*.log
table=$logs/summary
: > "$table"
failures=0

# step NAME COMMAND...: the last line of what the command prints is its closing line.
step() {
    name=$1
    shift
    printf '%-14s ' "$name"
    began=$(date +%s)
    "$@" > "$logs/$name.log" 2>&1 < /dev/null
    status=$?
    seconds=$(($(date +%s) - began))
    closing=$(tail -n 1 "$logs/$name.log")
    if [ "$status" -eq 0 ]; then
        verdict=ok
        echo "ok      ${seconds}s  $closing"
    else
        verdict=FAILED
        failures=$((failures + 1))
        echo "FAILED  ${seconds}s  (exit status $status)"
        tail -n 60 "$logs/$name.log" | sed 's/^/    | /'
        echo "    the whole of it: $logs/$name.log"
    fi
    printf '%-14s %-7s %5ss  %s\n' "$name" "$verdict" "$seconds" "$closing" >> "$table"
}
target() {
    make --no-print-directory "$@"
}

# The S3 store on a second server, of another make, only where that is installed.
swift() {
    if sh tests/servers/swift.sh installed; then
        step s3-swift target conformance-swift
    else
        missing='not tested with Swift: it is not installed (sh tests/install-packages.sh swift)'
        printf '%-14s -       %s\n' s3-swift "$missing"
        printf '%-14s -              %s\n' s3-swift "$missing" >> "$table"
    fi
}
prove() {
    step build target -j"$jobs" all unit-build tools
    step layers target layers
    step unit target unit
    step s3-tools sh tests/servers/s3-tools.sh build/remora
    swift
    step asan-tools target -j"$jobs" VARIANT=asan tools
    step mutations target check-mutations MUTATIONS="$1"
    step time-travel build/release/tests/torture/time_travel --seeds "$3" --seed "$SEED"
    step replay target check-replay
    step integration env CAMPAIGN="$2" make --no-print-directory integration
}
threads_and_memory() {
    step asan-build target -j"$jobs" VARIANT=asan unit-build
    step asan target check-asan
    step tsan-build target -j"$jobs" VARIANT=tsan unit-build
    step tsan target check-tsan
    step debug-build target -j"$jobs" VARIANT=debug unit-build
    step valgrind target check-valgrind
}

# An S3 server for all steps: the unit tests of every variant use it through the S3_TEST_* variables.
gateway=$(mktemp -d)
trap 'sh tests/servers/rgw.sh stop "$gateway/rgw"; rm -rf "$gateway"' EXIT
start_gateway() {
    step s3-server sh tests/servers/rgw.sh start "$gateway/rgw"
    if [ -f "$gateway/rgw/env" ]; then
        set -a
        # shellcheck disable=SC1091 # made by rgw.sh
        . "$gateway/rgw/env"
        set +a
    fi
}

echo "SEED=$SEED"
began_all=$(date +%s)
case $what in
test)
    step packages sh tests/install-packages.sh build test rgw browser
    start_gateway
    prove 10000 '' 8
    ;;
campaign)
    step packages sh tests/install-packages.sh build test rgw browser lint
    start_gateway
    prove 100000 1 1000
    threads_and_memory
    ;;
checks)
    step packages sh tests/install-packages.sh build test rgw lint
    start_gateway
    step lint target lint
    step clang target -j"$jobs" CC=clang BUILD=build/clang all unit-build tools
    threads_and_memory
    step tree-clean sh tests/check-clean.sh
    ;;
*)
    echo "usage: run-all.sh test|campaign|checks" >&2
    exit 2
    ;;
esac

echo
echo "--- $what: $(($(date +%s) - began_all)) s, SEED=$SEED"
cat "$table"
echo
# What failed by name, and the reason cmocka gives; then the runners' own closing lines, as they print them.
grep -hE '^(unit FAILED: |FAIL: |ERROR: |\[  ERROR   \] |.*: error: Failure!)' "$logs"/*.log | head -n 40
cat "$logs"/*.log | grep -E '^[a-z-]+: [0-9]+ passed, [0-9]+ failed' || true
if [ "$failures" -eq 0 ]; then
    echo "$what: every step passed"
else
    echo "$what: $failures steps FAILED"
    exit 1
fi
