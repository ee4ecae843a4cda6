#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check-clean.sh: fails when building and testing left a file behind, or changed one, that git would see.
set -eu
cd "$(dirname "$0")/.."
left=$(git status --porcelain)
if [ -n "$left" ]; then
    printf '%s\n' "$left"
    echo 'tree: the build or the tests changed the tree' >&2
    exit 1
fi
echo 'tree: as it was committed'
