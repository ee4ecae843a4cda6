/* SPDX-License-Identifier: Apache-2.0 */
/* hold.c: see hold.h. */
#include "snapshot/repo/hold.h"

#include "base/units.h"
#include "snapshot/repo/catalog.h"
#include "snapshot/repo/catalog_internal.h"
#include "snapshot/repo/fact.h"

/* Put the fact unless it is there. */
static int
put_once(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id,
         const char *reason, const char *tool_version, bool *changed, struct err *err)
{
    bool there = false;

    if (fact_find(repo, instance, kind, id, &there, NULL, err) < 0)
        return -1;
    *changed = !there;
    return there ? 0 : fact_put(repo, instance, kind, id, reason, tool_version, err);
}

/* The hold is there: was it in time? */
static int
check_hold(const struct repo *repo, const char *instance, const struct backup_id *id, bool ours, struct err *err)
{
    char since[UNITS_TEXT_MAX];
    struct err ignored = ERR_INIT;
    bool exists = false, noted = false;
    int64_t noted_ms = 0;

    if (catalog_has(repo, instance, id, &exists, err) < 0 ||
        (exists && fact_find(repo, instance, LAYOUT_EXPIRED, id, &noted, &noted_ms, err) < 0))
        return err_wrap(err, "the hold of %s was put, but nobody knows whether in time", id->text);
    if (!exists) {
        if (ours) /* a courtesy: prune would do it */
            (void)!fact_remove(repo, instance, LAYOUT_HOLD, id, &ignored);
        return err_set(err, ERR_NOT_FOUND, CATALOG_NO_SUCH_BACKUP, instance, store_url(repo->store), id->text);
    }
    if (noted)
        return err_set(err, ERR_LOCKED,
                       "a removal of backup %s began at %s and may be under way: the hold stays, and keeps the backup "
                       "if that removal was broken off; see with `remora show %s` in a quarter of an hour",
                       id->text, units_format_time(noted_ms, since), id->text);
    return 0;
}

int
hold_put(const struct repo *repo, const char *instance, const struct backup_id *id, const char *reason,
         const char *tool_version, bool *changed, struct err *err)
{
    if (put_once(repo, instance, LAYOUT_HOLD, id, reason, tool_version, changed, err) < 0)
        return -1;
    return check_hold(repo, instance, id, *changed, err);
}

int
hold_release(const struct repo *repo, const char *instance, const struct backup_id *id, bool *changed, struct err *err)
{
    if (fact_find(repo, instance, LAYOUT_HOLD, id, changed, NULL, err) < 0)
        return -1;
    return *changed ? fact_remove(repo, instance, LAYOUT_HOLD, id, err) : 0;
}

int
hold_accept(const struct repo *repo, const char *instance, const struct backup_id *id, const char *reason,
            const char *tool_version, enum hold_acceptance *outcome, struct err *err)
{
    struct manifest *m = NULL;
    bool suspicious, changed = false;

    if (catalog_find(repo, instance, id->text, NULL, NULL, &m, err) < 0)
        return -1;
    suspicious = m->suspicious;
    manifest_free(m);
    *outcome = HOLD_NOTHING_TO_ACCEPT;
    if (!suspicious)
        return 0;
    if (put_once(repo, instance, LAYOUT_ACCEPTED, id, reason, tool_version, &changed, err) < 0)
        return -1;
    *outcome = changed ? HOLD_ACCEPTED : HOLD_WAS_ACCEPTED;
    return 0;
}
