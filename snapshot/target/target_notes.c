/* SPDX-License-Identifier: Apache-2.0 */
/* target_notes.c: the notes in the staging folder, JSON of one line each: `plan`, by which a later run knows whether it
 * may go on with what lies there, and `ready`, by which it knows that only the rename is missing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "snapshot/target/target_internal.h"

#define NOTE_MAX_BYTES 4096
#define NOTE_VERSION   1
#define PLAN_FORMAT    "remora-plan"
#define READY_FORMAT   "remora-ready"

int
target_write_note(const struct target *t, int dirfd, const char *name, json_t *o, struct err *err)
{
    struct target_owner owner;
    char *line;
    int fd = -1, rc = -1;

    REQUIRE(o != NULL);
    line = json_write_line(o);
    json_decref(o);
    if (target_owner_decide(t, &owner, err) < 0 ||
        file_write_atomic(dirfd, name, TARGET_OURS "tmp-", line, strlen(line), 0600, err) < 0)
        goto out;
    fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    rc = fd < 0 ? err_sys(err, ERR_INTERNAL, errno, "open %s", name) : target_owner_apply(&owner, fd, owner.file, err);
out:
    if (fd >= 0)
        (void)close(fd);
    free(line);
    return rc;
}

static json_t *
plan_to_json(const struct target_plan *plan, const char *format)
{
    return json_pack("{ss si ss ss ss ss ss sI}", "format", format, "version", NOTE_VERSION, "backup", plan->id.text,
                     "layout", target_layout_name(plan->layout), "dbfilename", plan->names.dbfilename, "appenddirname",
                     plan->names.appenddirname, "appendfilename", plan->names.appendfilename, "size",
                     (json_int_t)plan->size);
}

static bool
take_name(const json_t *o, const char *key, char out[NAME_MAX + 1])
{
    const char *text = json_opt_str(o, key, "");
    size_t len = strlen(text);

    if (len == 0 || len > NAME_MAX || strchr(text, '/') != NULL)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool
plan_from_json(const json_t *o, const char *format, struct target_plan *plan)
{
    memset(plan, 0, sizeof(*plan));
    plan->layout = target_layout_from_name(json_opt_str(o, "layout", ""));
    plan->size = json_opt_u64(o, "size", UINT64_MAX);
    return strcmp(json_opt_str(o, "format", ""), format) == 0 && json_opt_u64(o, "version", 0) == NOTE_VERSION &&
           plan->layout != TARGET_LAYOUT_UNKNOWN && plan->size != UINT64_MAX &&
           backup_id_parse(json_opt_str(o, "backup", ""), &plan->id, NULL) &&
           take_name(o, "dbfilename", plan->names.dbfilename) &&
           take_name(o, "appenddirname", plan->names.appenddirname) &&
           take_name(o, "appendfilename", plan->names.appendfilename);
}

/* The note NAME, or NULL: *MISSING tells whether there is none, or one that cannot be read. */
static json_t *
read_note(int staging, const char *name, bool *missing)
{
    struct stat st;

    struct err unused = ERR_INIT;
    uint64_t size = 0;
    char *data = NULL;
    size_t len = 0;
    json_t *o = NULL;

    *missing = fstatat(staging, name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
    if (!*missing && target_file_size(staging, name, &size) &&
        file_read_all(staging, name, NOTE_MAX_BYTES, &data, &len, &unused) == 0)
        o = json_read_object(data, len, &unused);
    free(data);
    return o;
}

int
target_write_plan(const struct target *t, int staging, const struct target_plan *plan, struct err *err)
{
    return target_write_note(t, staging, TARGET_PLAN, plan_to_json(plan, PLAN_FORMAT), err);
}

int
target_write_ready(const struct target *t, int staging, struct err *err)
{
    json_t *o = plan_to_json(&t->plan, READY_FORMAT);

    if (t->plan.replace)
        REQUIRE(json_object_set_new(o, "replace", json_string(t->stamp)) == 0);
    return target_write_note(t, staging, TARGET_READY, o, err);
}

/* The same data under the same names? */
static bool
same_entry(const struct target_plan *plan, enum target_layout layout, const struct target_names *names)
{
    return plan->layout == layout &&
           strcmp(target_layout_entry(layout, &plan->names), target_layout_entry(layout, names)) == 0 &&
           (layout != TARGET_LAYOUT_AOF || strcmp(plan->names.appendfilename, names->appendfilename) == 0);
}

bool
target_plan_matches(int staging, const struct target_plan *plan)
{
    bool unused, same;
    json_t *o = read_note(staging, TARGET_PLAN, &unused);
    struct target_plan found;

    same = o != NULL && plan_from_json(o, PLAN_FORMAT, &found) && strcmp(found.id.text, plan->id.text) == 0 &&
           found.size == plan->size && same_entry(&found, plan->layout, &plan->names);

    json_decref(o);
    return same;
}

/* Is the entry gone? Then the rename that `ready` speaks of was done already. */
static bool
is_gone(int staging)
{
    struct stat st;

    return fstatat(staging, TARGET_ENTRY, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Is what `ready` speaks of there? */
static bool
is_complete(int staging, const struct target_plan *plan)
{
    char path[TARGET_DUMP_PATH];
    uint64_t size = 0, unused = 0;

    if (!target_file_size(staging, target_dump_path(plan, path), &size) || size != plan->size)
        return false;
    (void)snprintf(path, sizeof(path), TARGET_ENTRY "/%s.manifest", plan->names.appendfilename);
    return plan->layout != TARGET_LAYOUT_AOF || target_file_size(staging, path, &unused);
}

/* The `ready` in STAGING into *PLAN and *STAMP. False: there is none that can be finished; *DOUBTFUL: there is one, but
 * it is not known what it says, or it speaks of another entry than the one that is there. */
static bool
read_ready(int staging, struct target_plan *plan, char stamp[TARGET_STAMP_LEN], bool *doubtful)
{
    bool missing, understood, whole;
    json_t *o = read_note(staging, TARGET_READY, &missing);
    const char *text = json_opt_str(o, "replace", "");

    understood = o != NULL && plan_from_json(o, READY_FORMAT, plan) && strlen(text) < TARGET_STAMP_LEN &&
                 strchr(text, '/') == NULL && *text != '.';
    whole = understood && is_complete(staging, plan);
    *doubtful = !missing && !whole && !(understood && is_gone(staging));
    if (whole) {
        (void)snprintf(stamp, TARGET_STAMP_LEN, "%s", text);
        plan->replace = *stamp != '\0';
    }
    json_decref(o);
    return whole;
}

/* May old data have been moved away, by this replacement or an earlier one? */
static bool
may_have_moved(const struct target *t)
{
    struct stat st;

    return fstatat(t->dirfd, TARGET_REPLACED, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int
target_find_ready(struct target *t, struct err *err)
{
    int staging = target_staging_open(t);
    bool doubtful = staging < 0 && errno != ENOENT;
    char stamp[TARGET_STAMP_LEN];
    struct target_plan plan;

    t->ready = staging >= 0 && read_ready(staging, &plan, stamp, &doubtful);
    if (staging >= 0)
        (void)close(staging);
    memset(&t->plan, 0, sizeof(t->plan));
    if (t->ready) {
        t->plan = plan;
        (void)snprintf(t->stamp, sizeof(t->stamp), "%s", stamp);
        /* A rename of another kind or name than the server reads would leave it empty. What a replacement has begun is
         * another matter: target_judge() speaks of it. */
        t->fits = t->options.layout == TARGET_LAYOUT_UNKNOWN || same_entry(&plan, t->options.layout, &t->options.names);
        t->ready = t->fits || t->plan.replace;
    }
    /* What is in place may be the half of the old data that was not moved yet. */
    if (doubtful && may_have_moved(t))
        return err_set(err, ERR_REFUSED,
                       "%s was left as it is: a forced restore may have stopped in it half-way, but what it left in %s "
                       "cannot be read; restore again as the user and with the version that began it, or put back what "
                       "lies in %s and remove %s",
                       t->path, TARGET_STAGING, TARGET_REPLACED, TARGET_STAGING);
    return 0;
}
