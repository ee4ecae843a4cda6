/* SPDX-License-Identifier: Apache-2.0 */
/* child_told.c: see child_told.h. */
#include "agent/sidecar/child_told.h"

#include <stdio.h>
#include <string.h>

#include "agent/progress_bar.h"
#include "base/json_read.h"

static void
take_progress(struct child_told *t, const json_t *p)
{
    if (!progress_phase_find(json_opt_str(p, "phase", ""), &t->progress.phase))
        return;
    t->progress.done = json_opt_u64(p, "done", 0);
    t->progress.total = json_opt_u64(p, "total", 0);
    t->progress.stored = json_opt_u64(p, "stored", 0);
}

static void
take_storage(struct child_told *t, const json_t *storage)
{
    static const char *const names[METER_CALLS] = {"put", "get", "stat", "list", "remove"};

    for (int i = 0; i < METER_CALLS; i++) {
        const json_t *call = json_object_get(storage, names[i]), *buckets = json_object_get(call, "buckets");

        t->storage.calls[i].calls = json_opt_u64(call, "calls", 0);
        t->storage.calls[i].failures = json_opt_u64(call, "failures", 0);
        t->storage.calls[i].total_ms = json_opt_u64(call, "total_ms", 0);
        for (size_t k = 0; k <= METER_BUCKETS; k++)
            t->storage.calls[i].buckets[k] = (uint64_t)json_integer_value(json_array_get(buckets, k));
    }
    t->storage.bytes_put = json_opt_u64(storage, "bytes_put", 0);
    t->storage.bytes_got = json_opt_u64(storage, "bytes_got", 0);
}

static void
take_line(struct child_told *t)
{
    struct err unused = ERR_INIT;
    json_t *object = json_read_object(t->line, t->len, &unused);
    const json_t *part;

    if (object == NULL)
        return;
    if ((part = json_object_get(object, "progress")) != NULL)
        take_progress(t, part);
    if ((part = json_object_get(object, "storage")) != NULL)
        take_storage(t, part);
    if ((part = json_object_get(object, "error")) != NULL)
        (void)snprintf(t->error, sizeof(t->error), "%s", json_opt_str(part, "message", ""));
    json_decref(object);
}

void
child_told_feed(struct child_told *t, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n') {
            if (!t->skipping)
                take_line(t);
            t->len = 0;
            t->skipping = false;
        } else if (t->len < sizeof(t->line)) {
            t->line[t->len++] = data[i];
        } else {
            t->skipping = true;
        }
    }
}
