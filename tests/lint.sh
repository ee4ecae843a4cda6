#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# lint.sh CFLAG... -- FILE.c...: clang-tidy and cppcheck on the sources, shellcheck on the scripts, a syntax check of the
# Python files, and the sizes of functions and files. Called by `make lint`, which knows the flags and the files. Runs
# all of them, then fails if one did.
set -u
cd "$(dirname "$0")/.." || exit 1
flags=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    flags="$flags $1"
    shift
done
[ $# -gt 0 ] && shift
bad=
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# check NAME COMMAND...
check() {
    name=$1
    shift
    if "$@" > "$log" 2>&1; then
        echo "  $name: nothing found"
    else
        cat "$log"
        bad="$bad $name"
    fi
}

# shellcheck disable=SC2016 # the inner shell expands these
# One file a process: given several, clang-tidy 14 finds an uninitialised va_list in every variadic function.
tidy() {
    printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c '
        flags=$1
        shift
        out=$(clang-tidy --quiet "$@" -- $flags 2> /dev/null) && [ -z "$out" ] || { printf "%s\n" "$out"; exit 1; }
    ' tidy "$flags"
}
# ctuuninitvar: does not see that a callee fills a struct; the compilers, the sanitizers and valgrind ask that question.
cpp() {
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=unknownMacro --suppress=ctuuninitvar \
        -j "$(nproc)" -I. -D_GNU_SOURCE -DREMORA_VERSION='"0"' "$@"
}
scripts() {
    find tests docs .ci/run \( -name '*.sh' -o -name '*.bash' -o -path .ci/run \) -exec shellcheck {} +
}
python() {
    find tests -name '*.py' -exec python3 -c '
import sys
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as f:
        compile(f.read(), name, "exec")
' {} +
}

check clang-tidy tidy "$@"
check cppcheck cpp "$@"
check shellcheck scripts
check python python
check sizes sh tests/check-sizes.sh
if [ -n "$bad" ]; then
    echo "lint: found something:$bad"
    exit 1
fi
echo 'lint: nothing found'
