/* SPDX-License-Identifier: Apache-2.0 */
/* source_bgsave.c: see source_bgsave.h. The parts: session.c talks, bgsave.c asks and waits, dump_file.c reads; here
 * they become one source. */
#include "snapshot/redis/source_bgsave.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snapshot/redis/bgsave.h"
#include "snapshot/redis/dump_file.h"
#include "snapshot/redis/session.h"

#define DEFAULT_RECONNECT_MS 10000

struct source_bgsave {
    struct source base;
    struct dump_file file;
    char *path;
    int64_t not_before_s;
};

static int
bgsave_read(struct source *src, void *buf, size_t len, size_t *got, struct err *err)
{
    struct source_bgsave *s = (struct source_bgsave *)src;

    return dump_read(&s->file, buf, len, got, err) < 0 ? err_wrap(err, "%s", s->path) : 0;
}

static int
bgsave_confirm(struct source *src, const struct rdb_info *found, struct err *err)
{
    struct source_bgsave *s = (struct source_bgsave *)src;

    if (dump_check_unchanged(&s->file, s->path, err) < 0)
        return -1;
    /* Without a ctime (Redis before 3.2) the new inode has to do. */
    if (found->ctime_s >= 0 && found->ctime_s < s->not_before_s)
        return err_set(err, ERR_SERVER,
                       "%s was begun at %" PRId64 " (its ctime), before the save that was asked of %s (not before "
                       "%" PRId64 "): it is another save's dump, or the clocks of the two machines differ",
                       s->path, found->ctime_s, s->base.facts.address, s->not_before_s);
    return 0;
}

static void
bgsave_free(struct source *src)
{
    struct source_bgsave *s = (struct source_bgsave *)src;

    dump_close(&s->file);
    free(s->path);
    free(s);
}

static const struct source_ops bgsave_ops = {
    .name = "bgsave", .read = bgsave_read, .confirm = bgsave_confirm, .free = bgsave_free};

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* Where the dump is, here. The caller frees it. */
static int
locate_dump(const struct source_bgsave_options *o, const struct server_facts *facts, char **out, struct err *err)
{
    const char *name = facts->config.dbfilename;

    if (o->rdb_file != NULL) {
        *out = mem_strdup(o->rdb_file);
        return 0;
    }
    if (name[0] == '\0') {
        name = "dump.rdb";
        log_warn(
            "the server does not say its dbfilename (CONFIG GET); taking dump.rdb: give --rdb-file if it is another",
            LOG_S("server", facts->address));
    }
    /* Servers refuse such names; whoever answers with one is no server to follow to another folder. */
    if (strchr(name, '/') != NULL)
        return err_set(err, ERR_SERVER, "the dbfilename of %s, \"%s\", is no file name", facts->address, name);
    *out = mem_printf("%s/%s", o->data_dir, name);
    return 0;
}

static int
check_role(const struct source_bgsave_options *o, const struct server_facts *facts, const struct server_status *status,
           struct err *err)
{
    if (server_facts_check_role(facts, o->allow_master, err) < 0)
        return -1;
    if (status->is_replica && !status->link_up)
        log_warn("the replica has lost its master: the backup holds what it had by then",
                 LOG_S("server", facts->address));
    return 0;
}

/* The dump that the save left. When it is still the old one, the folder is not the one that the server writes to. */
static int
open_new_dump(const struct bgsave *b, const struct server_facts *facts, struct dump_file *out, struct err *err)
{
    struct dump_stamp now;
    const char *dir = facts->config.dir[0] != '\0' ? facts->config.dir : "(not told)";

    if (dump_stamp_take(b->dump, &now, err) < 0)
        return -1;
    if (!now.exists || dump_stamp_equal(&now, &b->before))
        return err_set(err, ERR_USAGE,
                       "the save on %s succeeded, but %s %s: the server writes to its own dir %s, of which --data-dir "
                       "(or --rdb-file) does not seem to be the mount here",
                       facts->address, b->dump, now.exists ? "did not change" : "does not exist", dir);
    return dump_open(b->dump, out, err);
}

/* Ask for the save and open its dump; the session is open. */
static int
take_save(struct bgsave *b, const struct server_facts *facts, struct source **out, struct err *err)
{
    struct source_bgsave *s;
    struct dump_file file = {.fd = -1};

    if (dump_check_readable(b->dump, err) < 0 || bgsave_run(b, err) < 0 || open_new_dump(b, facts, &file, err) < 0)
        return -1;
    s = mem_new(sizeof(*s));
    s->base.ops = &bgsave_ops;
    s->base.facts = *facts;
    s->base.snapshot_ms = b->accepted_ms;
    s->base.size = file.stamp.size;
    s->base.findings = b->findings;
    s->file = file;
    s->path = mem_strdup(b->dump);
    s->not_before_s = b->not_before_s;
    *out = &s->base;
    return 0;
}

int
source_bgsave_open(const struct source_bgsave_options *o, struct source **out, struct err *err)
{
    int64_t deadline_ms = clock_mono_ms() + o->timeout_ms;
    struct client_options client = {.deadline_ms = deadline_ms};
    struct session session = {0};
    struct server_facts facts;
    struct server_status status = {0};
    struct bgsave b = {.session = &session, .options = o, .deadline_ms = deadline_ms};
    struct dump_stamp any;
    char *dump = NULL;
    int rc = -1;

    if (o->data_dir == NULL && o->rdb_file == NULL)
        return err_set(err, ERR_USAGE,
                       "a backup by BGSAVE reads the dump on the server's volume: give --data-dir, the folder where it "
                       "is mounted here");
    /* A folder that is not there is known before a server is bothered: its ".", or the dump's own folder. */
    dump = o->rdb_file != NULL ? mem_strdup(o->rdb_file) : mem_printf("%s/.", o->data_dir);
    if (dump_stamp_take(dump, &any, err) < 0)
        goto out;
    free(dump);
    dump = NULL;
    if (session_open(&session, o->endpoint, &client, o->reconnect_ms > 0 ? o->reconnect_ms : DEFAULT_RECONNECT_MS,
                     &facts, err) < 0 ||
        locate_dump(o, &facts, &dump, err) < 0)
        goto out;
    if (session_status(&session, &status, err) == SESSION_FAILED || check_role(o, &facts, &status, err) < 0)
        goto out;
    b.dump = dump;
    rc = take_save(&b, &facts, out, err);
out:
    free(dump);
    session_fini(&session);
    return rc;
}
