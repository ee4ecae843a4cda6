/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.h: the small JSON object that makes a backup exist. Put last, never changed; its own last field is the
 * SHA-256 of all before it. Pure: writes to memory, parses from memory.
 */
#ifndef SNAPSHOT_REPO_MANIFEST_H
#define SNAPSHOT_REPO_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "snapshot/rdb/rdb_info.h"
#include "snapshot/redis/server_facts.h"
#include "snapshot/repo/backup_id.h"
#include "snapshot/repo/layout.h"

#define MANIFEST_TAGS_MAX      32
#define MANIFEST_TAG_KEY_MAX   128 /* bytes */
#define MANIFEST_TAG_VALUE_MAX 1024
#define MANIFEST_MEMBERS_MAX   2 /* kinds of members */
#define MANIFEST_FINDINGS_MAX  8

struct manifest_member {
    char name[16];
    uint64_t raw_size;    /* bytes before compression */
    uint64_t stored_size; /* bytes of all segments as stored */
    uint64_t segments;
    uint64_t index_size;
    uint8_t index_sha256[DIGEST_SHA256_LEN];
};

struct manifest_tag {
    char *key;
    char *value;
};

/* What a guard found at backup time: it was warned about and the backup taken all the same. */
struct manifest_finding {
    char guard[16]; /* "shrink", "memory", "space"; what a later version wrote is kept as it is */
    char text[240]; /* one sentence */
};

struct manifest {
    struct backup_id id;
    char uuid[DIGEST_UUID_TEXT];
    char instance[LAYOUT_INSTANCE_MAX + 1];
    char method[16]; /* "bgsave", "psync", "file" */
    char tool_version[32];
    int64_t snapshot_ms, started_ms, finished_ms; /* by the store's clock */
    int level;                                    /* zstd's */
    bool suspicious;
    struct manifest_member rdb_member;
    struct manifest_member config_member; /* configuration files; 0 segments: the backup has none */
    bool has_other_members; /* that this version does not know: it may be restored from, but not carried elsewhere */
    struct rdb_info rdb;
    struct server_facts source;
    struct manifest_tag tags[MANIFEST_TAGS_MAX];
    size_t tag_count;
    struct manifest_finding findings[MANIFEST_FINDINGS_MAX];
    size_t finding_count;
};

/* An empty one. Never NULL. */
struct manifest *manifest_new(void);
void manifest_free(struct manifest *m); /* NULL is fine */

/* Add a tag; KEY and VALUE are copied. ERR_USAGE: too many or too long, not UTF-8, or the
 * key is empty or there already. */
int manifest_add_tag(struct manifest *m, const char *key, const char *value, struct err *err) MUST_CHECK;

/* Add what GUARD found; both texts are copied, and cut to their room. No more than MANIFEST_FINDINGS_MAX are kept. */
void manifest_add_finding(struct manifest *m, const char *guard, const char *text);

/* M's members into MEMBERS (room for MANIFEST_MEMBERS_MAX), the dump first; returns how many it has, at least 1. */
size_t manifest_members(const struct manifest *m, const struct manifest_member **members);

/* The object's bytes (NUL-terminated, the caller frees) and their number. */
char *manifest_write(const struct manifest *m, size_t *len) MUST_CHECK;

/* The reverse. ERR_CORRUPT: the digest does not match, or a field is missing; ERR_UNSUPPORTED: a `requires` this build
 * does not know. */
int manifest_parse(const char *data, size_t len, struct manifest **out, struct err *err) MUST_CHECK;

#endif
