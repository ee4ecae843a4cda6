#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# s3-tools.sh REMORA: a second opinion on what we write to S3: s3cmd reads a backup, and zstd makes the dump of it;
# then s3cmd writes the repository to another place, under a prefix of odd characters, and remora verifies and restores
# from there. Needs the S3_TEST_* variables of rgw.sh, and a bucket made by s3cmd itself.
set -eu
cd "$(dirname "$0")/../.."
remora=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dump=$(find tests/golden/rdb -name '*.rdb' | sort | head -n 1)

cat > "$work/s3cfg" << C
[default]
access_key = $S3_TEST_ACCESS_KEY
secret_key = $S3_TEST_SECRET_KEY
host_base = ${S3_TEST_HTTP#http://}
host_bucket = ${S3_TEST_HTTP#http://}
use_https = False
bucket_location = us-east-1
C
s3() {
    s3cmd -c "$work/s3cfg" --no-progress --quiet "$@"
}
printf '%s\n%s\n' "$S3_TEST_ACCESS_KEY" "$S3_TEST_SECRET_KEY" > "$work/key"
export REMORA_INSTANCE=tools REMORA_S3_ACCESS_KEY_FILE="$work/key" REMORA_S3_ENDPOINT="$S3_TEST_HTTPS"
export REMORA_S3_CA="$S3_TEST_CA" REMORA_LOG_LEVEL=warn
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
from=s3://remora-tools/from odd="s3://remora-tools/odd +%=& \$/prefix"

s3 mb s3://remora-tools
id=$("$remora" --repo "$from" backup --create --method file --rdb-file "$dump")
mkdir "$work/down"
s3 get --recursive "$from/instances/tools/data/$id/rdb/" "$work/down/"
cat "$work"/down/*.zst | zstd -dcq > "$work/dump.rdb"
cmp "$work/dump.rdb" "$dump"

mkdir "$work/all" "$work/target"
s3 get --recursive "$from/" "$work/all/"
s3 put --recursive "$work/all/" "$odd/"
"$remora" --repo "$odd" verify --all > "$work/verdict"
grep -q "^$id ok" "$work/verdict" || {
    cat "$work/verdict" >&2
    exit 1
}
"$remora" --repo "$odd" restore --appendonly no --target "$work/target" > /dev/null
cmp "$work/target/dump.rdb" "$dump"

# With the old signature too, where this build has it.
"$remora" --repo "$from" --s3-signature v2 --s3-endpoint "$S3_TEST_HTTP" list > "$work/list" 2> "$work/log" ||
    grep -q 'built without libs3' "$work/log"
[ ! -s "$work/list" ] || grep -q "^$id " "$work/list"

s3 rm --recursive --force s3://remora-tools
s3 rb s3://remora-tools
echo "s3 tools: s3cmd and remora read each other's objects"
