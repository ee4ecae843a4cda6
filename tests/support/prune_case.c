/* SPDX-License-Identifier: Apache-2.0 */
/* prune_case.c: see prune_case.h. */
#include "tests/support/prune_case.h"

#include <stdlib.h>
#include <string.h>

#include "snapshot/repo/fact.h"
#include "storage/store_mem.h"
#include "tests/support/test_common.h"

static void
hook(enum store_call call, const char *key, void *cookie)
{
    struct prune_case *p = cookie;

    if (p->act == NULL || p->acted || (p->call != STORE_CALL_ANY && call != p->call) ||
        (p->key != NULL && strstr(key, p->key) == NULL) || ++p->seen < p->nth)
        return;
    p->acted = true;
    p->act(p);
}

void
prune_case_open(struct prune_case *p)
{
    memset(p, 0, sizeof(*p));
    repo_case_open(&p->at);
    p->behind = p->at.repo;
    p->behind.store = p->at.mem;
    assert_true(backup_id_parse(PRUNE_ID, &p->id, NULL));
    store_fault_set_hook(p->at.store, hook, p);
}

void
prune_case_close(struct prune_case *p)
{
    repo_case_close(&p->at);
}

void
prune_case_travel(struct prune_case *p, int hours)
{
    store_mem_set_clock(p->at.mem, hours * PRUNE_HOUR + 1000);
}

void
prune_case_manifest(struct prune_case *p)
{
    struct layout_key key;
    size_t len = 0;
    char *data = repo_case_manifest(p->id.text, false, &len);

    layout_manifest(&key, CASE_INSTANCE, &p->id);
    repo_case_put(p->at.mem, key.text, data, len);
    free(data);
}

void
prune_case_data(struct prune_case *p, unsigned n)
{
    struct layout_key key;

    for (unsigned i = 0; i < n; i++) {
        layout_segment(&key, CASE_INSTANCE, &p->id, LAYOUT_MEMBER_RDB, i);
        repo_case_put(p->at.mem, key.text, "segment", 7);
    }
}

void
prune_case_fact(struct prune_case *p, enum layout_fact kind)
{
    struct err err = ERR_INIT;

    assert_ok(fact_put(&p->behind, CASE_INSTANCE, kind, &p->id, NULL, "0.0.test", &err), &err);
}

bool
prune_case_has_manifest(struct prune_case *p)
{
    struct layout_key key;

    layout_manifest(&key, CASE_INSTANCE, &p->id);
    return repo_case_count(p->at.mem, key.text) > 0;
}

bool
prune_case_has_fact(struct prune_case *p, enum layout_fact kind)
{
    struct layout_key key;

    layout_fact(&key, CASE_INSTANCE, kind, &p->id);
    return repo_case_count(p->at.mem, key.text) > 0;
}

size_t
prune_case_count_data(struct prune_case *p)
{
    struct layout_key key;

    layout_data(&key, CASE_INSTANCE, &p->id);
    return repo_case_count(p->at.mem, key.text);
}

size_t
prune_case_count(struct prune_case *p)
{
    return repo_case_count(p->at.mem, LAYOUT_INSTANCES CASE_INSTANCE "/") - 1;
}

void
prune_case_when(struct prune_case *p, enum store_call call, const char *key, unsigned nth,
                void (*act)(struct prune_case *p))
{
    p->call = call;
    p->key = key;
    p->nth = nth;
    p->act = act;
    p->seen = 0;
    p->acted = false;
}

enum removal_outcome
prune_case_remove_manifest(struct prune_case *p)
{
    enum removal_outcome outcome = REMOVAL_KEPT;
    struct err err = ERR_INIT;

    assert_ok(removal_of_manifest(&p->at.repo, CASE_INSTANCE, &p->id, "test", "0.0.test", &outcome, &err), &err);
    return outcome;
}

enum removal_outcome
prune_case_remove_data(struct prune_case *p, uint64_t *objects)
{
    enum removal_outcome outcome = REMOVAL_KEPT;
    struct err err = ERR_INIT;

    assert_ok(removal_of_data(&p->at.repo, CASE_INSTANCE, &p->id, &outcome, objects, &err), &err);
    return outcome;
}

void
prune_case_put_hold(struct prune_case *p)
{
    prune_case_fact(p, LAYOUT_HOLD);
}

void
prune_case_put_note(struct prune_case *p)
{
    prune_case_fact(p, LAYOUT_EXPIRED);
}

void
prune_case_take_note(struct prune_case *p)
{
    struct err err = ERR_INIT;

    assert_ok(fact_remove(&p->behind, CASE_INSTANCE, LAYOUT_EXPIRED, &p->id, &err), &err);
}
