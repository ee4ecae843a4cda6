/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target_judge.c: is there data in this folder? Judged by names first, then by content, and never by what an earlier
 * restore left behind. Three questions, in this order, each asked of every entry before the next:
 *
 *   1. Is one of the names data: what a server would load, or what says that a server lived here?
 *   2. Leaving out the names that can be ignored: does one of the files begin like a dump?
 *   3. Is anything left over at all? Then nobody can tell, and nothing is restored.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "snapshot/target_internal.h"

#define MAX_ENTRIES     100000
#define APPEND_DIRNAME  "appendonlydir"
#define APPEND_FILENAME "appendonly.aof"

struct names {
    char **list;
    size_t count;
};

static void
names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
}

/* All entries of the folder NAME in DIRFD; -1 with errno set. */
static int
read_names(int dirfd, const char *name, struct names *names)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    memset(names, 0, sizeof(*names));
    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (names->count == MAX_ENTRIES) {
            errno = EOVERFLOW;
            break;
        }
        names->list = mem_grow(names->list, names->count + 1, sizeof(*names->list));
        names->list[names->count++] = mem_strdup(entry->d_name);
    }
    if (errno != 0) {
        int saved = errno;

        names_free(names);
        (void)closedir(dir);
        errno = saved;
        return -1;
    }
    (void)closedir(dir);
    return 0;
}

static bool
matches_any(const char *name, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    }
    return false;
}

static bool
has_manifest(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        /* temp-...: the server stopped before it was renamed, and would not find it either */
        if (fnmatch("*.manifest", names->list[i], 0) == 0 && fnmatch("temp-*", names->list[i], 0) != 0)
            return true;
    }
    return false;
}

/* ---- 1: names that are data -------------------------------------------------------------------------------------- */

/* The folder of the append-only file: data with a manifest, ignorable when empty, and otherwise a server would start
 * empty on it and overwrite what is there: nobody can tell what that is. */
static enum target_state
judge_append_dir(struct target *t)
{
    struct names names;
    enum target_state state = TARGET_UNSURE;

    if (read_names(t->dirfd, APPEND_DIRNAME, &names) < 0) {
        (void)snprintf(t->reason, sizeof(t->reason), "%s, which cannot be read (%s)", APPEND_DIRNAME, strerror(errno));
        return TARGET_UNSURE;
    }
    if (names.count == 0)
        state = TARGET_EMPTY;
    else if (has_manifest(&names))
        state = TARGET_DATA;
    (void)snprintf(t->reason, sizeof(t->reason), "%s, a folder %s", APPEND_DIRNAME,
                   state == TARGET_DATA ? "with the manifest of an append-only file"
                                        : "of append-only files without their manifest");
    names_free(&names);
    return state;
}

static bool
is_data_name(const struct target *t, const char *name)
{
    static const char *const patterns[] = {"dump.rdb", APPEND_FILENAME, "*.aof", "nodes.conf"};

    return strcmp(name, t->dbfilename) == 0 || matches_any(name, patterns, ARRAY_LEN(patterns));
}

/* ---- 2: files that begin like a dump ----------------------------------------------------------------------------- */

static bool
is_ignorable(const char *name)
{
    static const char *const patterns[] = {"lost+found", (TARGET_OURS "*"), "*.conf", "users.acl", "temp-*.rdb"};

    return matches_any(name, patterns, ARRAY_LEN(patterns));
}

enum content { CONTENT_DUMP, CONTENT_OTHER, CONTENT_UNREADABLE };

static enum content
file_content(int dirfd, const char *name)
{
    char head[6] = {0};
    int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return errno == ELOOP ? CONTENT_OTHER : CONTENT_UNREADABLE; /* a link is looked at by name only */
    got = pread(fd, head, sizeof(head), 0);
    (void)close(fd);
    if (got < 0)
        return CONTENT_UNREADABLE;
    return memcmp(head, "REDIS", 5) == 0 || memcmp(head, "VALKEY", 6) == 0 ? CONTENT_DUMP : CONTENT_OTHER;
}

/* The same for the regular files one level into the folder NAME; FOUND gets the name of the one that decided. */
static enum content
folder_content(int dirfd, const char *name, char *found, size_t found_size)
{
    struct names names;
    enum content worst = CONTENT_OTHER;
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || read_names(dirfd, name, &names) < 0) {
        if (fd >= 0)
            (void)close(fd);
        return CONTENT_UNREADABLE;
    }
    for (size_t i = 0; worst != CONTENT_DUMP && i < names.count; i++) {
        enum content content = CONTENT_OTHER;
        struct stat st;

        if (fstatat(fd, names.list[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
            content = CONTENT_UNREADABLE;
        else if (S_ISREG(st.st_mode))
            content = file_content(fd, names.list[i]);
        if (content != CONTENT_OTHER) {
            worst = content;
            (void)snprintf(found, found_size, "/%s", names.list[i]);
        }
    }
    names_free(&names);
    (void)close(fd);
    return worst;
}

/* What one entry that is neither data by name nor ignorable says. */
static enum target_state
judge_entry(struct target *t, const char *name)
{
    char inside[NAME_MAX + 2] = "";
    enum content content = CONTENT_OTHER;
    struct stat st;

    if (fstatat(t->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        content = CONTENT_UNREADABLE;
    else if (S_ISREG(st.st_mode))
        content = file_content(t->dirfd, name);
    else if (S_ISDIR(st.st_mode))
        content = folder_content(t->dirfd, name, inside, sizeof(inside));
    (void)snprintf(t->reason, sizeof(t->reason), "%s%s, %s", name, inside,
                   content == CONTENT_DUMP         ? "which begins like a dump"
                   : content == CONTENT_UNREADABLE ? "which cannot be read"
                                                   : "which is not known");
    return content == CONTENT_DUMP ? TARGET_DATA : TARGET_UNSURE;
}

/* ---- the judgement ----------------------------------------------------------------------------------------------- */

static enum target_state
judge_names(struct target *t, const struct names *names)
{
    enum target_state append_dir = TARGET_EMPTY, state = TARGET_EMPTY;
    char unsure[sizeof(t->reason)] = "";

    for (size_t i = 0; i < names->count; i++) {
        if (is_data_name(t, names->list[i])) {
            (void)snprintf(t->reason, sizeof(t->reason), "%s", names->list[i]);
            return TARGET_DATA;
        }
        if (strcmp(names->list[i], APPEND_DIRNAME) == 0) {
            append_dir = judge_append_dir(t);
            if (append_dir == TARGET_DATA)
                return TARGET_DATA;
            memcpy(unsure, t->reason, sizeof(unsure));
        }
    }
    for (size_t i = 0; i < names->count; i++) {
        if (is_ignorable(names->list[i]) || strcmp(names->list[i], APPEND_DIRNAME) == 0)
            continue;
        if (judge_entry(t, names->list[i]) == TARGET_DATA)
            return TARGET_DATA;
        if (state == TARGET_EMPTY)
            memcpy(unsure, t->reason, sizeof(unsure));
        state = TARGET_UNSURE;
    }
    if (append_dir == TARGET_UNSURE)
        state = TARGET_UNSURE;
    (void)snprintf(t->reason, sizeof(t->reason), "%s", state == TARGET_UNSURE ? unsure : "");
    return state;
}

/* Is that for the user to put right? What is not is the machine's failure, such as a disk's EIO. */
static bool
is_curable(int errnum)
{
    return errnum == EACCES || errnum == EPERM || errnum == ENOENT || errnum == ENOTDIR || errnum == EOVERFLOW;
}

int
target_look(struct target *t, enum target_state *state, struct err *err)
{
    struct names names;

    if (read_names(t->dirfd, ".", &names) < 0)
        return err_sys(err, is_curable(errno) ? ERR_USAGE : ERR_INTERNAL, errno, "read the target %s", t->path);
    *state = judge_names(t, &names);
    names_free(&names);
    return 0;
}
