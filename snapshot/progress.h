/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h: how long work tells how far it is. Nothing here prints: agent/ shows it. */
#ifndef SNAPSHOT_PROGRESS_H
#define SNAPSHOT_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

enum progress_phase {
    PROGRESS_WAITING,    /* for another child of the server to end; no figures */
    PROGRESS_SAVING,     /* the server writes its dump; done and total are keys (0 where the server does not say) */
    PROGRESS_STORING,    /* done and total are raw bytes of the dump, stored what went into the store */
    PROGRESS_PUBLISHING, /* index and manifest; no figures */
    PROGRESS_RESTORING,  /* raw bytes written */
    PROGRESS_VERIFYING,  /* raw bytes checked */
    PROGRESS_LOADING,    /* raw bytes that a throw-away server has loaded */
    PROGRESS_COPYING,    /* stored bytes that are in their new place; stored: those that were put now */
    PROGRESS_EXPORTING,  /* stored bytes written */
    PROGRESS_LISTING,    /* what the repository holds is read: small objects of it */
    PROGRESS_CHECKING,   /* backups whose objects were found to be all there */
    PROGRESS_REMOVING,   /* backups and leftovers removed */
};

/* What the figures of a phase count. */
enum progress_unit { PROGRESS_BYTES, PROGRESS_KEYS, PROGRESS_THINGS };

static inline enum progress_unit
progress_unit(enum progress_phase phase)
{
    if (phase == PROGRESS_SAVING)
        return PROGRESS_KEYS;
    return phase == PROGRESS_LISTING || phase == PROGRESS_CHECKING || phase == PROGRESS_REMOVING ? PROGRESS_THINGS
                                                                                                 : PROGRESS_BYTES;
}

struct progress {
    enum progress_phase phase;
    uint64_t done;
    uint64_t total; /* 0: not known */
    uint64_t stored;
};

/* Called from the thread that drives the work, several times a second; must be quick. */
typedef void progress_fn(const struct progress *p, void *cookie);

/* Where to tell it; a NULL fn means nowhere. */
struct progress_sink {
    progress_fn *fn;
    void *cookie;
};

static inline void
progress_tell(const struct progress_sink *sink, enum progress_phase phase, uint64_t done, uint64_t total,
              uint64_t stored)
{
    struct progress p = {.phase = phase, .done = done, .total = total, .stored = stored};

    if (sink != NULL && sink->fn != NULL)
        sink->fn(&p, sink->cookie);
}

#endif
