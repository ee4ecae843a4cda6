#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fails on an #include that runs against the layers (docs/ARCHITECTURE.md), and on a library used outside its own files.
set -eu
cd "$(dirname "$0")/.."
bad=0

# deny FOLDER PATTERN WHY: no file of FOLDER may include what the extended regular expression PATTERN matches.
deny() {
    found=$(grep -rnE --include='*.[ch]' "^#include [\"<]($2)" "$1" || true)
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        echo "^ $3" >&2
        bad=1
    fi
}

deny base '(storage|snapshot|agent|tests)/' 'base/ knows nothing of the other folders'
deny storage '(snapshot|agent|tests)/' 'storage/ may include base/ only'
deny snapshot '(agent|tests)/' 'snapshot/ may not include agent/'
deny snapshot 'storage/[^s]|storage/s[^t]|storage/store_' 'snapshot/ may include storage/store.h only'
deny agent 'tests/' 'the program does not include tests'

# only LIBRARY_HEADER FILE_PATTERN WHY: a library has one home.
only() {
    found=$(grep -rlE --include='*.[ch]' "^#include <$1" base storage snapshot agent | grep -vE "$2" || true)
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        echo "^ $3" >&2
        bad=1
    fi
}

only 'archive' '^base/tar_[a-z]*\.c$' 'libarchive belongs to base/tar_*.c'
only 'hiredis' '^snapshot/redis/' 'hiredis belongs to snapshot/redis/'
only 'zstd' '^snapshot/repo/segment\.c$' 'zstd belongs to snapshot/repo/segment.c'
only 'openssl' '^(base/digest|snapshot/redis/transport_tls)\.c$' 'OpenSSL belongs to base/digest.c and snapshot/redis/transport_tls.c'
only 'curl/' '^storage/s3/http\.c$' 'libcurl belongs to storage/s3/http.c'
only 'microhttpd' '^agent/sidecar/web\.c$' 'libmicrohttpd belongs to agent/sidecar/web.c'
only 'libs3' '^storage/store_s3v2\.c$' 'libs3 belongs to storage/store_s3v2.c'

[ "$bad" = 0 ] && echo 'layers: every include runs the right way'
exit "$bad"
