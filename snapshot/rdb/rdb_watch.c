/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_watch.c: see rdb_watch.h. */
#include "snapshot/rdb/rdb_watch.h"

void
rdb_watch_init(struct rdb_watch *w)
{
    *w = (struct rdb_watch){.name.room = RDB_KEY_NAME_MAX, .head.room = RDB_PACKING_HEAD_MAX};
}

/* Add what the packed value in w->head says to what those before it (the nodes of a list) said. */
static void
count_head(struct rdb_watch *w)
{
    int64_t n = RDB_ELEMENTS_UNKNOWN;

    if (w->packing == RDB_PACKING_NONE)
        return;
    n = rdb_packing_elements(w->packing, w->head.bytes, w->head.len);
    w->packing = RDB_PACKING_NONE;
    if (n == RDB_ELEMENTS_UNKNOWN)
        w->key.elements = RDB_ELEMENTS_UNKNOWN;
    else if (w->key.elements != RDB_ELEMENTS_UNKNOWN)
        w->key.elements += n;
}

void
rdb_watch_name(struct rdb_watch *w)
{
    w->key.elements = 0;
    w->packing = RDB_PACKING_NONE;
}

enum rdb_packing
rdb_watch_value(struct rdb_watch *w, enum rdb_packing packing)
{
    count_head(w);
    return packing == RDB_PACKING_NODE && w->node_is_plain ? RDB_PACKING_ELEMENT : packing;
}

void
rdb_watch_value_begun(struct rdb_watch *w, enum rdb_packing packing, uint8_t form)
{
    w->packing = packing;
    w->form = form;
    if (form >= 0xc0 && form <= 0xc2)
        w->head.len = 0; /* a number: whatever holds it, it has no header */
}

void
rdb_watch_tell(struct rdb_watch *w, uint64_t database, enum rdb_type type, bool expires, uint64_t end)
{
    struct rdb_key *key = &w->key;

    count_head(w);
    if (type == RDB_STRING || type == RDB_MODULE)
        key->elements = RDB_ELEMENTS_UNKNOWN;
    key->database = database;
    key->type = type;
    key->encoding = rdb_encoding_of(key->record, w->form);
    key->name = w->name.bytes;
    key->name_len = w->name.len;
    key->name_full_len = w->name.full;
    key->bytes = end - w->start;
    key->expires = expires;
    if (!expires)
        key->expires_ms = -1;
    w->observer.fn(key, w->observer.cookie);
}
