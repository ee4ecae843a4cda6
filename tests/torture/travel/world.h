/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: one life of a repository with its faults, and the model of what is true in it: see time_travel.c. */
#ifndef TESTS_TORTURE_TRAVEL_WORLD_H
#define TESTS_TORTURE_TRAVEL_WORLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/prune/prune.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/repo.h"
#include "storage/store_fault.h"

#define INSTANCE "shop-cache"
#define TOOL     "0.0.test"
#define MINUTE   ((int64_t)60 * 1000)
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)
#define GONE_MAX 16 /* backups that can come back */

/* What a listing of the whole store shows of one id. */
struct seen {
    bool manifest, note, facts[LAYOUT_EXPIRED + 1];
    unsigned data;
};

/* The truth about one id. */
struct item {
    struct backup_id id;
    int64_t taken_ms; /* the time in the id */
    bool published;   /* it has had a manifest */
    bool damaged;     /* that manifest was spoilt */
    bool lost;        /* the store lost one of its objects */
    bool suspicious, accepted, verified;
    bool held;          /* a hold was told that all is well, and was not released */
    unsigned objects;   /* of data/ that were put and must be there */
    int64_t newest_ms;  /* when the last of them was put */
    int64_t removed_ms; /* when the manifest was found to have gone; 0: it has not */
    unsigned slow_left; /* a backup that runs for days: segments still to come; then the manifest */
    int64_t slow_next_ms;
    bool planned;      /* a plan of this prune removes the manifest, with a reason */
    bool planned_rest; /* or what is left */
    struct seen was, is;
};

struct odds {
    unsigned fail, slow, skew, suspicious, hold, release, accept, verify, delete, damage, lose, gap, late, back, deny;
};

struct world {
    uint64_t seed, random;
    struct store *mem, *store; /* the second is a store_fault around the first */
    struct repo repo;          /* through the second */
    int64_t now, end, next_prune, deny_until;
    struct retention_policy policy, policy_now; /* its own; that of the prune under way */
    int64_t orphan_age_ms;
    struct odds odds; /* in 10,000 an hour */
    unsigned suspicious_run;
    struct item *items; /* ascending by id: all of which there is an object in the store */
    size_t count, allocated;
    struct item gone[GONE_MAX];
    size_t gone_count;
    bool broken; /* a law */

    /* What happens in the middle of a prune. */
    pthread_mutex_t mutex;
    uint64_t hook_at, hook_calls;
    bool hook_done, hook_published;

    uint64_t backups, prunes, cut_off, removed, leftovers, paused, denied, in_the_middle;
};

/* What was so before a prune. */
struct before {
    uint64_t good;
    bool pause;
    struct backup_id newest_good; /* "" where there is none */
};

/* Chance, the store, and what the model knows. */
uint64_t below(struct world *w, uint64_t n);
bool chance(struct world *w, unsigned in_ten_thousand);
int64_t span(struct world *w, int64_t from, int64_t to);
void broken(struct world *w, const struct item *item, const char *fmt, ...) PRINTF_LIKE(3, 4);
void go_to(struct world *w, int64_t ms);
void sure(struct world *w, int rc, const struct err *err);
void put(struct world *w, const char *key, const void *data, size_t len);
struct repo past_the_faults(const struct world *w);
void put_fact(struct world *w, enum layout_fact kind, const struct item *item);
struct item *find(struct world *w, const struct backup_id *id);
struct item *add(struct world *w, const struct item *item);
struct item *pick(struct world *w);
bool is_there(const struct item *item);
bool looks_good(const struct world *w, const struct item *item);
struct item *newest_good(struct world *w);
bool must_pause(struct world *w, const struct retention_policy *p);

/* What happens between prunes. */
void back_up(struct world *w);
void hold_one(struct world *w, struct item *item);
void live_an_hour(struct world *w);

/* A look at the whole store, and the laws. */
struct before look_before(struct world *w, const struct retention_policy *policy);
void check_prune(struct world *w, const struct retention_policy *policy, const struct before *b);

/* A prune with what goes wrong in it. */
int prune(struct world *w, const struct repo *repo, const struct retention_policy *policy, bool *nothing_to_do,
          struct err *err);
void in_the_middle(enum store_call call, const char *key, void *cookie);
void prune_and_check(struct world *w);

#endif
