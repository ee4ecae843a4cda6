/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asker.h: the questions of the agent that may take long, asked by a thread of its own, one after the other. The loop
 * puts them and takes the answers, and never waits.
 *
 * Nothing is kept between two questions: each opens its connection anew, with the credentials as they are then. A
 * question to the server is given up after 5 s; a request to the store is asked again for 30 s, or --retry-for where
 * that is less, and each time given up when it stalls for half of that: so an S3 store that stands still is known to
 * within a minute, and holds nothing else up for longer.
 */
#ifndef AGENT_SIDECAR_ASKER_H
#define AGENT_SIDECAR_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/sidecar/work.h"
#include "base/err.h"
#include "snapshot/redis/server_facts.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/slot.h"

enum question_kind {
    ASK_SERVER,  /* is it there, and as what? */
    ASK_STORE,   /* are the repository and the instance there? */
    ASK_CATALOG, /* the same, and which backups are in it? */
    ASK_TAKE,    /* slot_take() */
    ASK_KEEP,    /* the same for a job that runs, so that nobody follows */
    ASK_DONE,    /* slot_done() */
    QUESTION_KINDS
};

struct question {
    enum question_kind kind;
    enum work work;              /* TAKE, KEEP, DONE */
    int64_t slot_ms;             /* the same */
    bool again;                  /* TAKE: a job of this slot failed here */
    const struct catalog *known; /* CATALOG: what an earlier answer brought, which must live until this one was taken;
                                    NULL: nothing */
};

struct answer {
    struct question question;
    struct err err; /* ERR_NONE: what follows holds */
    /* SERVER */
    struct server_facts server;
    uint64_t keys, memory, cow, fork_us;
    /* CATALOG; the taker's */
    struct catalog *catalog;
    /* TAKE, KEEP */
    enum slot_outcome outcome;
    int64_t again_in_ms; /* with SLOT_TAKEN */
};

struct asker;

/* CONFIG, whose strings must outlive the asker; CLAIMER is who claims slots, for people. WAKE_FD, an eventfd, is
 * written to when there is an answer. NULL with ERR_NO_SPACE. */
struct asker *asker_start(const struct config *config, const char *claimer, int wake_fd, struct err *err) MUST_CHECK;

/* Put a question. The same one (kind, work and slot) that waits already is not put twice. False: there is no room, or
 * it is to stop; there will be no answer. */
bool asker_ask(struct asker *a, const struct question *q);

/* The next answer; false when there is none. */
bool asker_take(struct asker *a, struct answer *out);

/* Is there a question of KIND that has not been answered? */
bool asker_is_busy(struct asker *a, enum question_kind kind);

/* After sig_stop(), which ends what waits: put no more questions, wait up to LIMIT_MS for the thread, and free. False
 * when it hangs (on a dead file system): then the process must end without freeing what the thread uses. */
bool asker_stop(struct asker *a, int64_t limit_ms);

#endif
