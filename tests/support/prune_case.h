/* SPDX-License-Identifier: Apache-2.0 */
/* prune_case.h: an instance with backups, notes and facts of chosen ages, and something that happens in the middle of a
 * call: what the tests of prune/ begin with. */
#ifndef TESTS_SUPPORT_PRUNE_CASE_H
#define TESTS_SUPPORT_PRUNE_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot/prune/removal.h"
#include "snapshot/repo/layout.h"
#include "storage/store_fault.h"
#include "tests/support/repo_case.h"

#define PRUNE_ID   "20261120T103000Z-1a2b3c"
#define PRUNE_HOUR ((int64_t)3600 * 1000)

struct prune_case {
    struct repo_case at;
    struct repo behind; /* the same repository, past the hook: as another process sees it */
    struct backup_id id;

    /* What happens, once, before the NTH call of kind CALL whose key has KEY in it. */
    void (*act)(struct prune_case *p);
    enum store_call call;
    const char *key;
    unsigned nth, seen;
    bool acted;
};

void prune_case_open(struct prune_case *p);
void prune_case_close(struct prune_case *p);

/* From now on the store's clock is HOURS (and a second) ahead of where it began. */
void prune_case_travel(struct prune_case *p, int hours);

/* Put, past the hook: the manifest of p->id; N segments; a fact. */
void prune_case_manifest(struct prune_case *p);
void prune_case_data(struct prune_case *p, unsigned n);
void prune_case_fact(struct prune_case *p, enum layout_fact kind);

bool prune_case_has_manifest(struct prune_case *p);
bool prune_case_has_fact(struct prune_case *p, enum layout_fact kind);
size_t prune_case_count_data(struct prune_case *p);
/* Everything of the instance but its marker. */
size_t prune_case_count(struct prune_case *p);

/* What a removal of p->id comes to; it must not fail. */
enum removal_outcome prune_case_remove_manifest(struct prune_case *p);
enum removal_outcome prune_case_remove_data(struct prune_case *p, uint64_t *objects);

/* Acts: somebody puts a hold, puts the note (anew), takes the note away. */
void prune_case_put_hold(struct prune_case *p);
void prune_case_put_note(struct prune_case *p);
void prune_case_take_note(struct prune_case *p);

/* Do ACT before the NTH (from 1) call of kind CALL whose key has KEY in it. */
void prune_case_when(struct prune_case *p, enum store_call call, const char *key, unsigned nth,
                     void (*act)(struct prune_case *p));

#endif
