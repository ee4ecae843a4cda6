/* SPDX-License-Identifier: Apache-2.0 */
/* check_target.c: see check_target.h. */
#include "snapshot/check/check_target.h"

#include "base/units.h"

static void
probe_empty(struct check *c, struct target *t, const char *path)
{
    enum target_state state = TARGET_UNSURE;
    struct err err = ERR_INIT;

    if (target_judge(t, &state, &err) < 0) {
        check_failed(c, "empty", &err, "give this uid the right to list the folder");
        return;
    }
    switch (state) {
    case TARGET_EMPTY:
        check_ok(c, "empty", "there is no data in %s", path);
        break;
    case TARGET_STAGED:
        check_ok(c, "empty", "a restore of %s was interrupted when it was ready: the next one finishes it",
                 target_ready_plan(t)->id.text);
        break;
    case TARGET_REPLACING:
        check_fail(c, "empty", ERR_REFUSED, "run it again: it finishes without the repository",
                   "a forced restore of %s was interrupted when it was ready, with data in %s",
                   target_ready_plan(t)->id.text, path);
        break;
    case TARGET_DATA:
        check_fail(c, "empty", ERR_REFUSED, "restore into another folder, or move the data away if it is not wanted",
                   "there is data in %s: %s", path, target_reason(t));
        break;
    case TARGET_UNSURE:
        check_fail(c, "empty", ERR_REFUSED, "look at it, and move it away if it is not wanted",
                   "what is in %s may be data: %s", path, target_reason(t));
        break;
    }
}

static void
probe_room(struct check *c, const struct target *t, const char *path, uint64_t bytes)
{
    char size[UNITS_TEXT_MAX];
    struct err err = ERR_INIT;

    if (target_check_room(t, bytes, &err) < 0)
        check_failed(c, "space", &err, "enlarge the volume, or remove what is not needed on it");
    else if (bytes > 0)
        check_ok(c, "space", "%s has room for the latest backup (%s)", path, units_format_size(bytes, size));
    else
        check_ok(c, "space", "%s has room for new files; how much a backup needs is not known here", path);
}

void
check_target(struct check *c, const struct target_options *options, uint64_t bytes)
{
    const char *path = options->path;
    struct err err = ERR_INIT;
    struct target *t = NULL;

    c->area = "target";
    if (target_open(options, &t, &err) < 0) {
        check_failed(c, "folder", &err, "mount the server's volume here, and give its folder with --target");
        return;
    }
    check_ok(c, "folder", "%s exists", path);
    probe_empty(c, t, path);
    if (target_check_access(t, false, &err) < 0)
        check_failed(c, "owner", &err, "run with the server's uid (runAsUser), or give both one fsGroup");
    else
        check_ok(c, "owner", "what is written there can be used by the folder's owner");
    probe_room(c, t, path, bytes);
    target_free(t);
}
