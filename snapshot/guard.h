/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h: the guards at backup time: what they go by, what they judge, and what they found. Pure: the figures are
 * brought by others (INFO, a catalogue, the kernel), and others act on the judgement (backup.c, redis/save_guards.h).
 */
#ifndef SNAPSHOT_GUARD_H
#define SNAPSHOT_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot/rdb/rdb_info.h"
#include "snapshot/redis/info.h"
#include "snapshot/repo/manifest.h"

enum guard_policy {
    GUARD_WARN,   /* go on, and note it in the backup */
    GUARD_REFUSE, /* no backup */
    GUARD_OFF,    /* not looked at */
};

/* ---- a data set that shrank -------------------------------------------------------------------------------------- */

/* What a backup is measured by: the last good one. All zero: nothing is judged. */
struct guard_shrink {
    unsigned percent; /* fewer keys than that share of its keys: the data set shrank; 0: nothing is judged */
    enum guard_policy policy;
    struct backup_id id;
    uint64_t keys; /* 0: nothing is judged, since nothing can have been lost */
};

/* Did it? Only keys count, those with a time to live too, whatever their size: an instance whose keys all expire at
 * once looks as if it had been emptied, and wants a lower percentage. A dump whose keys could not be counted is not
 * judged. */
bool guard_has_shrunk(const struct guard_shrink *g, const struct rdb_info *found);

/* The finding's sentence, with both numbers. Returns OUT. */
const char *guard_shrink_text(const struct guard_shrink *g, const struct rdb_info *found, char *out, size_t size);

/* ---- memory for the copies that a save makes --------------------------------------------------------------------- */

struct guard_memory_options {
    enum guard_policy policy;
    uint64_t server_memory; /* the limit, as it was given; 0: it was not */
    /* The memory limit of the container in which a server that tells this of itself runs; 0: not known. May be NULL. */
    uint64_t (*container_limit)(const struct server_memory *told, const void *cookie);
    const void *cookie;
};

/* What the server may use. */
struct guard_limit {
    uint64_t bytes;  /* 0: not known */
    const char *of;  /* words for whose limit it is, that follow "of" */
    bool is_machine; /* no limit of the server's own was seen, only what its machine has */
};

/* As it was given, else the container's, else the machine's as the server tells it. O may be NULL. */
struct guard_limit guard_memory_limit(const struct guard_memory_options *o, const struct server_memory *told);

enum guard_memory_state {
    GUARD_MEMORY_UNASKED, /* never judged */
    GUARD_MEMORY_UNKNOWN, /* the server did not tell its memory, or no limit is known */
    GUARD_MEMORY_FITS,
    GUARD_MEMORY_TIGHT, /* fits, unless everything is written to while the save runs */
    GUARD_MEMORY_SHORT, /* what has to be expected does not fit */
};

struct guard_memory {
    enum guard_memory_state state;
    uint64_t expected; /* bytes that the save is expected to take beside what is resident */
    struct guard_limit limit;
};

/*
 * A save forks, and each page that is written to before it ends is copied. What to expect is the greater of
 *   - one and a half times what the last save copied: the best witness there is, with room for more data and more
 *     writes than then;
 *   - a tenth of the data, where there was no save yet, or a quiet one.
 * The worst case, a copy of everything, comes only where all is written to during one save: judging by it would find
 * fault with every server whose maxmemory is more than half of its limit, so it is told and no more. FULL_SYNC: the
 * dump goes over the wire, for which a server keeps a replication backlog, and what that may yet grow by is added. All
 * other buffers of replicas are in the resident memory already.
 */
struct guard_memory guard_memory_judge(const struct server_memory *m, bool full_sync, const struct guard_limit *limit);

/* M as it will be when the data has grown to maxmemory, for who looks ahead. */
struct server_memory guard_memory_grown(const struct server_memory *m);

/* The sentence for a judgement that knows, with the figures. Returns OUT. */
const char *guard_memory_text(const struct server_memory *m, const struct guard_memory *g, char *out, size_t size);

/* ---- what was found ---------------------------------------------------------------------------------------------- */

struct guard_findings {
    struct manifest_finding list[MANIFEST_FINDINGS_MAX];
    size_t count;
    enum guard_memory_state memory; /* as last judged: a source may ask often, which need not be logged each time */
};

/* Note a sentence, in place of what GUARD found before. */
void guard_note(struct guard_findings *f, const char *guard, const char *text);

/* It finds nothing any more. */
void guard_forget(struct guard_findings *f, const char *guard);

/* Did GUARD find something? */
bool guard_has_noted(const struct guard_findings *f, const char *guard);

/* ---- what a source is told --------------------------------------------------------------------------------------- */

struct guard_options {
    struct guard_memory_options memory;
    enum guard_policy space; /* room for the dump on the server's volume; bgsave only, the others make no file there */
};

#endif
