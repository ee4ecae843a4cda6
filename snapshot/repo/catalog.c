/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c: the side of catalog.h that reads many: listings first, then the small objects, several at a time. */
#include "snapshot/repo/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/pool.h"
#include "snapshot/repo/catalog_internal.h"
#include "snapshot/repo/fact.h"
#include "snapshot/repo/layout.h"

/* Manifests and facts are a few kB each: what a get of one costs is a round trip, not a CPU. Eight at a time make a
 * list eight times as fast as one, and are no more connections than any store takes from one client. */
#define CATALOG_WORKERS 8u

/* ---- the facts --------------------------------------------------------------------------------------------------- */

/* What the fact O says of a server that loaded the backup. */
static void
note_load(const json_t *o, struct catalog_entry *entry)
{
    struct err unused = ERR_INIT;
    const json_t *load = json_object_get(o, "load");

    if (json_is_object(load) && json_read_time(load, "time", &entry->loaded_ms, &unused) == 0)
        (void)snprintf(entry->loaded_by, sizeof(entry->loaded_by), "%s", json_opt_str(load, "server", ""));
}

/* verified/<id>.json tells when and how; one that is missing, or cannot be understood, counts as "never". */
static int
read_verified(const struct repo *repo, const char *instance, struct catalog_entry *entry, struct err *err)
{
    struct layout_key key;
    struct err unused = ERR_INIT;
    char *data = NULL;
    size_t len = 0;
    json_t *o;

    entry->verified_ms = 0;
    layout_fact(&key, instance, LAYOUT_VERIFIED, &entry->id);
    if (store_get_all(repo->store, key.text, REPO_SMALL_OBJECT, &data, &len, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    o = json_read_object(data, len, &unused);
    if (o != NULL && json_read_time(o, "time", &entry->verified_ms, &unused) == 0) {
        (void)snprintf(entry->verified_level, sizeof(entry->verified_level), "%s", json_opt_str(o, "level", ""));
        note_load(o, entry);
    }
    json_decref(o);
    free(data);
    return 0;
}

static void
note_fact(struct catalog_entry *entry, enum layout_fact kind, int64_t put_ms, uint64_t size)
{
    switch (kind) {
    case LAYOUT_VERIFIED:
        entry->verified_ms = put_ms;
        entry->verified = (struct catalog_object){put_ms, size};
        break;
    case LAYOUT_ACCEPTED:
        entry->accepted = true;
        break;
    case LAYOUT_HOLD:
        entry->held = true;
        break;
    case LAYOUT_EXPIRED:
        entry->noted_ms = put_ms;
        break;
    }
}

static const enum layout_fact fact_kinds[] = {LAYOUT_VERIFIED, LAYOUT_ACCEPTED, LAYOUT_HOLD, LAYOUT_EXPIRED};

static int
compare_entry(const void *key, const void *entry)
{
    return strcmp(key, ((const struct catalog_entry *)entry)->id.text);
}

static int
load_facts(const struct repo *repo, const char *instance, enum layout_fact kind, struct catalog *c, struct err *err)
{
    struct fact_list found;

    progress_tell(&repo->progress, PROGRESS_LISTING, 0, c->count, 0);
    if (fact_list(repo, instance, kind, &found, err) < 0)
        return -1;
    for (size_t i = 0; i < found.count && c->count > 0; i++) {
        const struct fact *f = &found.facts[i];
        struct catalog_entry *entry = bsearch(f->id.text, c->entries, c->count, sizeof(*c->entries), compare_entry);

        if (entry != NULL) /* else the backup is gone, its fact not yet */
            note_fact(entry, kind, f->put_ms, f->size);
    }
    fact_list_free(&found);
    return 0;
}

/* ---- the manifests ----------------------------------------------------------------------------------------------- */

static void
begin_entry(struct catalog_entry *entry, const struct backup_id *id)
{
    memset(entry, 0, sizeof(*entry));
    REQUIRE(backup_id_parse(id->text, &entry->id, &entry->taken_ms));
}

void
catalog_entry_fini(struct catalog_entry *entry)
{
    free(entry->problem);
    entry->problem = NULL;
}

static void
summarize(const struct manifest *m, struct catalog_entry *entry)
{
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    const size_t count = manifest_members(m, members);

    entry->snapshot_ms = m->snapshot_ms;
    (void)snprintf(entry->method, sizeof(entry->method), "%s", m->method);
    entry->keys = m->rdb.keys;
    entry->suspicious = m->suspicious;
    for (size_t i = 0; i < count; i++) {
        entry->raw_size += members[i]->raw_size;
        entry->stored_size += members[i]->stored_size;
    }
}

/* A manifest that is there and cannot be used is an entry as well; -1 says nothing about the backup but with
 * ERR_NOT_FOUND. */
static int
read_summary(const struct repo *repo, const char *instance, struct catalog_entry *entry, struct err *err)
{
    struct manifest *m = NULL;

    if (catalog_manifest(repo, instance, &entry->id, &m, err) == 0) {
        summarize(m, entry);
        manifest_free(m);
        return 0;
    }
    if (err->code != ERR_CORRUPT && err->code != ERR_UNSUPPORTED)
        return -1;
    entry->state = err->code == ERR_CORRUPT ? CATALOG_DAMAGED : CATALOG_UNSUPPORTED;
    entry->problem = mem_strdup(err->msg);
    err_clear(err);
    return 0;
}

/* ---- what is known already --------------------------------------------------------------------------------------- */

static bool
is_same_object(const struct catalog_object *a, const struct catalog_object *b)
{
    return a->put_ms == b->put_ms && a->size == b->size;
}

/* One that was not whole is read anew: what came of it may have been the store's fault. */
static bool
take_summary(const struct catalog_entry *known, struct catalog_entry *entry)
{
    if (known == NULL || known->state != CATALOG_WHOLE || !is_same_object(&known->manifest, &entry->manifest))
        return false;
    entry->snapshot_ms = known->snapshot_ms;
    memcpy(entry->method, known->method, sizeof(entry->method));
    entry->keys = known->keys;
    entry->raw_size = known->raw_size;
    entry->stored_size = known->stored_size;
    entry->suspicious = known->suspicious;
    return true;
}

static bool
take_verified(const struct catalog_entry *known, struct catalog_entry *entry)
{
    if (known == NULL || !is_same_object(&known->verified, &entry->verified))
        return false;
    entry->verified_ms = known->verified_ms;
    memcpy(entry->verified_level, known->verified_level, sizeof(entry->verified_level));
    entry->loaded_ms = known->loaded_ms;
    memcpy(entry->loaded_by, known->loaded_by, sizeof(entry->loaded_by));
    return true;
}

static struct catalog_entry *
find_entry(const struct catalog *c, const char *id)
{
    return c->count > 0 ? bsearch(id, c->entries, c->count, sizeof(*c->entries), compare_entry) : NULL;
}

/* ---- several at a time ------------------------------------------------------------------------------------------- */

struct reading {
    const struct repo *repo;
    const char *instance;
    enum catalog_depth depth;
    const struct catalog *known; /* NULL: nothing is */
};

/* A worker has the entry for itself. One whose manifest was removed since the listing loses its id. */
static int
read_entry(void *item, unsigned worker, void *cookie, struct err *err)
{
    const struct reading *r = cookie;
    struct catalog_entry *entry = item;
    const struct catalog_entry *known = r->known != NULL ? find_entry(r->known, entry->id.text) : NULL;

    (void)worker;
    if (!take_summary(known, entry) && read_summary(r->repo, r->instance, entry, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        entry->id.text[0] = '\0';
        return 0;
    }
    if (r->depth == CATALOG_VERIFIED && entry->verified.put_ms != 0 && !take_verified(known, entry))
        return read_verified(r->repo, r->instance, entry, err);
    return 0;
}

static void
keep_item(void *item, void *cookie)
{
    (void)item;
    (void)cookie;
}

static int
read_entries(struct reading *r, struct catalog *c, struct err *err)
{
    static const struct pool_ops ops = {.work = read_entry, .done = keep_item};
    struct pool *pool;

    if (c->count == 0)
        return 0;
    pool = pool_start(c->count < CATALOG_WORKERS ? (unsigned)c->count : CATALOG_WORKERS, &ops, r, err);
    if (pool == NULL)
        return -1;
    for (size_t i = 0; i < c->count && pool_submit(pool, &c->entries[i]); i++)
        progress_tell(&r->repo->progress, PROGRESS_LISTING, i, c->count, 0);
    return pool_finish(pool, err);
}

static void
drop_removed(struct catalog *c)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->count; i++) {
        if (c->entries[i].id.text[0] != '\0')
            c->entries[kept++] = c->entries[i];
    }
    c->count = kept;
}

static int
list_entries(const struct repo *repo, const char *instance, struct catalog *c, struct err *err)
{
    struct layout_key folder;
    struct fact_list found;

    progress_tell(&repo->progress, PROGRESS_LISTING, 0, 0, 0);
    layout_manifests(&folder, instance);
    if (fact_list_folder(repo, &folder, &found, err) < 0)
        return -1;
    c->entries = mem_array(found.count, sizeof(*c->entries));
    c->count = found.count;
    for (size_t i = 0; i < found.count; i++) {
        begin_entry(&c->entries[i], &found.facts[i].id);
        c->entries[i].manifest = (struct catalog_object){found.facts[i].put_ms, found.facts[i].size};
    }
    fact_list_free(&found);
    return 0;
}

static int
load(struct reading *r, struct catalog **out, struct err *err)
{
    struct catalog *c = mem_new(sizeof(*c));
    int rc = list_entries(r->repo, r->instance, c, err);

    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(fact_kinds); i++)
        rc = load_facts(r->repo, r->instance, fact_kinds[i], c, err);
    if (rc == 0)
        rc = read_entries(r, c, err);
    if (rc < 0) {
        catalog_free(c);
        return -1;
    }
    drop_removed(c);
    *out = c;
    return 0;
}

int
catalog_load(const struct repo *repo, const char *instance, enum catalog_depth depth, struct catalog **out,
             struct err *err)
{
    struct reading r = {.repo = repo, .instance = instance, .depth = depth};

    return load(&r, out, err);
}

int
catalog_reload(const struct repo *repo, const char *instance, const struct catalog *known, struct catalog **out,
               struct err *err)
{
    struct reading r = {.repo = repo, .instance = instance, .depth = CATALOG_VERIFIED, .known = known};

    return load(&r, out, err);
}

void
catalog_free(struct catalog *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++)
        catalog_entry_fini(&c->entries[i]);
    free(c->entries);
    free(c);
}

int
catalog_entry_load(const struct repo *repo, const char *instance, const struct backup_id *id, struct catalog_entry *out,
                   struct err *err)
{
    begin_entry(out, id);
    if (read_summary(repo, instance, out, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return err_wrap(err, "backup %s", id->text);
        return err_set(err, ERR_NOT_FOUND, CATALOG_NO_SUCH_BACKUP, instance, store_url(repo->store), id->text);
    }
    for (size_t i = 0; i < ARRAY_LEN(fact_kinds); i++) {
        int64_t put_ms = 0;
        bool there = false;

        if (fact_kinds[i] == LAYOUT_VERIFIED) /* its get is the question whether it is there */
            continue;
        if (fact_find(repo, instance, fact_kinds[i], id, &there, &put_ms, err) < 0)
            goto fail;
        if (there)
            note_fact(out, fact_kinds[i], put_ms, 0);
    }
    if (read_verified(repo, instance, out, err) == 0)
        return 0;
fail:
    catalog_entry_fini(out);
    return -1;
}
