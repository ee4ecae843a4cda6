/* SPDX-License-Identifier: Apache-2.0 */
/* verify_load.c: see verify_load.h. */
#include "snapshot/verify_load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/temp_folder.h"
#include "base/units.h"
#include "snapshot/load_compare.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/server_program.h"
#include "snapshot/redis/throwaway_server.h"
#include "snapshot/staged_dump.h"
#include "snapshot/verify.h"

#define ROOM_BESIDE   ((uint64_t)1 << 20) /* for the folder itself */
#define DATABASES_MAX 1000000             /* a server makes room for each, used or not */

/* ---- before anything is written ---------------------------------------------------------------------------------- */

/* Could a server hold it at all? The dump says what its own server used, which counts buffers and fragmentation too:
 * only a limit well below that is clearly too small. To try all the same could end with the kernel killing us. */
static int
check_memory(const struct manifest *m, uint64_t limit, struct err *err)
{
    char needs[UNITS_TEXT_MAX], has[UNITS_TEXT_MAX];
    uint64_t used = m->rdb.used_memory > 0 ? (uint64_t)m->rdb.used_memory : 0;

    if (limit == 0 || used / 4 * 3 <= limit)
        return 0;
    return err_set(err, ERR_NO_SPACE,
                   "the dataset took %s of memory in its server, and all processes here may have %s: run this with as "
                   "large a memory limit as the server's",
                   units_format_size(used, needs), units_format_size(limit, has));
}

static int
check_modules(const struct manifest *m, struct err *err)
{
    if (m->rdb.module_count == 0)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "the dump needs the module %s, which a throw-away server is started without: verify it without "
                   "--load",
                   m->rdb.modules[0].name);
}

static int
count_databases(const struct manifest *m, uint64_t *databases, struct err *err)
{
    *databases = m->rdb.db_count > 0 ? m->rdb.dbs[m->rdb.db_count - 1].number + 1 : 1;
    if (*databases >= 1 && *databases <= DATABASES_MAX)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "the dump has a database %" PRIu64 ": no throw-away server is started with more than %d",
                   *databases - 1, DATABASES_MAX);
}

static int
check_room(const struct temp_folder *folder, const char *parent, uint64_t bytes, struct err *err)
{
    char needs[UNITS_TEXT_MAX], has[UNITS_TEXT_MAX];
    struct statvfs fs;
    uint64_t room;

    if (fstatvfs(folder->fd, &fs) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "statvfs of %s", parent);
    room = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (room >= bytes && room - bytes >= ROOM_BESIDE)
        return 0;
    return err_set(err, ERR_NO_SPACE, "%s has %s free, but the dump needs %s: name a larger place with --temp-dir",
                   parent, units_format_size(room, has), units_format_size(bytes + ROOM_BESIDE, needs));
}

/* ---- the dump, the server ---------------------------------------------------------------------------------------- */

static int
restore_dump(const struct repo *repo, const struct manifest *m, const struct temp_folder *folder,
             const struct read_options *options, struct err *err)
{
    int fd = openat(folder->fd, "dump.rdb", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc;

    if (fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "backup %s: create %s/dump.rdb", m->id.text, folder->path);
    rc = staged_dump_write(repo, m, &(struct staged_dump){.fd = fd, .journal = -1}, options, err);
    if (close(fd) < 0 && rc == 0)
        rc = err_sys(err, ERR_INTERNAL, errno, "close %s/dump.rdb", folder->path);
    return rc;
}

/* The value behind the key NAME in a reply of pairs, or NULL. */
static const struct reply *
value_of(const struct reply *pairs, const char *name)
{
    for (size_t i = 0; pairs != NULL && pairs->type == REPLY_ARRAY && i + 1 < pairs->count; i += 2)
        if (pairs->elements[i]->text != NULL && strcmp(pairs->elements[i]->text, name) == 0)
            return pairs->elements[i + 1];
    return NULL;
}

/* Of all engines; a server before 7.0 has none, and no such command. */
static int
count_functions(struct throwaway *t, uint64_t *functions, struct err *err)
{
    const struct reply *engines, *count;
    struct reply *stats = NULL;

    *functions = 0;
    if (throwaway_call(t, CLIENT_ARGS("FUNCTION", "STATS"), &stats, err) < 0) {
        if (err->code != ERR_SERVER_DENIED)
            return -1;
        err_clear(err);
        return 0;
    }
    engines = value_of(stats, "engines");
    for (size_t i = 1; engines != NULL && engines->type == REPLY_ARRAY && i < engines->count; i += 2) {
        count = value_of(engines->elements[i], "libraries_count");
        if (count != NULL && count->type == REPLY_INTEGER && count->integer > 0)
            *functions += (uint64_t)count->integer;
    }
    reply_free(stats);
    return 0;
}

static int
compare(struct throwaway *t, const struct manifest *m, struct verify_loaded *loaded, struct err *err)
{
    struct load_seen seen = {.skipped = load_skipped_keys(throwaway_log(t))};
    struct reply *info = NULL;
    int rc = -1;

    if (count_functions(t, &seen.functions, err) < 0)
        return -1;
    /* One INFO for all figures: keys go on expiring between two. */
    if (throwaway_call(t, CLIENT_ARGS("INFO"), &info, err) < 0)
        return -1;
    if (info->type == REPLY_STRING) {
        seen.info = info->text;
        rc = load_compare(&m->rdb, &seen, &loaded->expired, err);
    } else {
        (void)err_set(err, ERR_SERVER, "INFO to the throw-away server: the answer is not a text");
    }
    reply_free(info);
    loaded->skipped = seen.skipped;
    (void)snprintf(loaded->server, sizeof(loaded->server), "%s", throwaway_version(t));
    return rc;
}

static int
load_and_compare(const struct manifest *m, struct throwaway_options *server, struct verify_loaded *loaded,
                 struct err *err)
{
    struct throwaway *t = NULL;
    int rc;

    if (throwaway_start(server, &t, err) < 0)
        return -1;
    rc = compare(t, m, loaded, err);
    throwaway_stop(t);
    return rc;
}

int
verify_load(const struct repo *repo, const struct manifest *m, const struct verify_load_options *options,
            struct verify_loaded *loaded, struct err *err)
{
    struct temp_folder folder = TEMP_FOLDER_INIT;
    struct throwaway_options server = {.progress = &options->reading.progress};
    char *program = NULL;
    int rc = -1;

    memset(loaded, 0, sizeof(*loaded));
    if (check_modules(m, err) < 0 || check_memory(m, options->memory_limit, err) < 0 ||
        count_databases(m, &server.databases, err) < 0)
        goto wrap;
    program = server_program_find(options->server_binary, m->source.kind, err);
    if (program == NULL)
        goto wrap;
    if (temp_folder_make(options->temp_dir, VERIFY_LOAD_PREFIX, &folder, err) < 0) {
        (void)err_wrap(err, "--temp-dir");
        goto wrap;
    }
    if (check_room(&folder, options->temp_dir, m->rdb_member.raw_size, err) < 0)
        goto wrap;
    if (restore_dump(repo, m, &folder, &options->reading, err) < 0 ||
        verify_config(repo, m, &options->reading, err) < 0)
        goto out; /* they say themselves which backup */
    server.program = program;
    server.folder_fd = folder.fd;
    rc = load_and_compare(m, &server, loaded, err);
wrap:
    if (rc < 0)
        (void)err_wrap(err, "backup %s", m->id.text);
out:
    temp_folder_remove(&folder);
    free(program);
    return rc;
}
