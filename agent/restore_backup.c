/* SPDX-License-Identifier: Apache-2.0 */
/* restore_backup.c: see restore_backup.h. */
#include "agent/restore_backup.h"

#include <stdio.h>
#include <string.h>

#include "agent/open_export.h"
#include "agent/pick.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sig.h"
#include "base/units.h"
#include "snapshot/repo/catalog.h"

#define PAUSE_MS 3000

void
restore_backup_fini(struct restore_backup *b)
{
    manifest_free(b->m);
    open_repo_close(&b->opened);
    memset(b, 0, sizeof(*b));
}

bool
restore_backup_wait(const struct restore_policy *policy, int64_t *since_ms, const struct err *err)
{
    int64_t now = clock_mono_ms(), left;
    char text[UNITS_TEXT_MAX];

    if (err->code != ERR_STORAGE || policy->unreachable != UNREACHABLE_WAIT)
        return false;
    if (*since_ms == 0)
        *since_ms = now;
    left = *since_ms + policy->wait_ms - now;
    if (left <= 0)
        return false;
    log_warn("the store cannot be reached; waiting for it", LOG_S("why", err->msg),
             LOG_S("left", units_format_duration(left, text)));
    clock_sleep_ms(left < PAUSE_MS ? left : PAUSE_MS);
    return !sig_pending();
}

/* The policy for no repository or no such instance, for the failure ERR of opening it: 0 when the server may start
 * empty. A marker that is gone from a place that has backups, or remains of them, is a loss and not a beginning. */
static int
judge_no_repo(const struct config *c, struct restore_backup *b, struct err *err)
{
    struct err cause = *err;
    bool bare = true;

    if (cause.code != ERR_NOT_FOUND || c->if_no_repo != POLICY_START_EMPTY || c->instance == NULL ||
        !pick_is_latest(c->backup))
        return -1;
    /* Without a store there is not even the folder or the bucket: only then may the listing say the same. */
    if (b->opened.store != NULL && catalog_is_bare(&b->opened.repo, c->instance, &bare, err) < 0 &&
        err->code != ERR_NOT_FOUND)
        return -1;
    if (!bare)
        return err_set(err, ERR_NOT_FOUND,
                       "%s; but there are backups of instance \"%s\" or remains of them: the server does not start "
                       "empty (`remora init` makes a marker anew)",
                       cause.msg, c->instance);
    (void)snprintf(b->why, sizeof(b->why), "%.500s (--if-no-repo start-empty)", cause.msg);
    return 0;
}

/* The policy for no backup, for the failure ERR of looking for the latest: 0 when the server may start empty. */
static int
judge_no_backup(const struct config *c, struct restore_backup *b, struct err *err)
{
    struct err cause = *err;
    bool bare = false;

    if (cause.code != ERR_NOT_FOUND || c->if_no_backup != POLICY_START_EMPTY || !pick_is_latest(c->backup))
        return -1;
    if (catalog_is_bare(&b->opened.repo, c->instance, &bare, err) < 0)
        return -1;
    if (!bare)
        return err_set(err, ERR_NOT_FOUND,
                       "%s; the instance is not new, there are backups or remains of them in it: the server does not "
                       "start empty (--if-no-backup start-empty is for an instance that never had one)",
                       cause.msg);
    (void)snprintf(b->why, sizeof(b->why), "instance \"%s\" has no backup yet (--if-no-backup start-empty)",
                   c->instance);
    return 0;
}

int
restore_backup_open(const struct config *c, struct restore_backup *b, struct err *err)
{
    restore_backup_fini(b);
    if (c->from != NULL)
        return open_export(c, &b->opened, &b->m, err);
    if (open_repo_instance(c, OPEN_REPO_READ, &b->opened, err) < 0)
        return -1;
    return pick_backup(c, &b->opened, c->backup, &b->m, err);
}

/* One try. *FOUND only after success. */
static int
find_once(const struct config *c, struct restore_backup *b, enum restore_found *found, struct err *err)
{
    restore_backup_fini(b);
    *found = RESTORE_FOUND_NOTHING;
    if (open_repo_instance(c, OPEN_REPO_READ, &b->opened, err) < 0)
        return judge_no_repo(c, b, err);
    if (pick_backup(c, &b->opened, c->backup, &b->m, err) < 0)
        return judge_no_backup(c, b, err);
    *found = RESTORE_FOUND;
    return 0;
}

int
restore_backup_find(const struct config *c, const struct restore_policy *policy, struct restore_backup *b,
                    enum restore_found *found, struct err *err)
{
    int64_t since_ms = 0;
    int rc;

    *found = RESTORE_FOUND;
    if (c->from != NULL) /* a file that was named is there or is not: no policy is about it */
        return restore_backup_open(c, b, err);
    do {
        rc = find_once(c, b, found, err);
    } while (rc < 0 && restore_backup_wait(policy, &since_ms, err));
    if (rc < 0 && sig_pending())
        return sig_check(err);
    if (rc < 0 && err->code == ERR_STORAGE && policy->unreachable == UNREACHABLE_START_EMPTY &&
        pick_is_latest(c->backup)) {
        (void)snprintf(b->why, sizeof(b->why), "%.500s (--if-unreachable start-empty)", err->msg);
        *found = RESTORE_FOUND_NOTHING;
        return 0;
    }
    return rc;
}
