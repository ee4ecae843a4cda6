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
#include "snapshot/target/target_internal.h"

#define MAX_ENTRIES 100000

void
target_list_free(struct target_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
}

int
target_list_read(int dirfd, const char *name, struct target_list *list)
{
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    memset(list, 0, sizeof(*list));
    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (list->count == MAX_ENTRIES) {
            errno = EOVERFLOW;
            break;
        }
        list->names = mem_grow(list->names, list->count + 1, sizeof(*list->names));
        list->names[list->count++] = mem_strdup(entry->d_name);
    }
    if (errno != 0) {
        int saved = errno;

        target_list_free(list);
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
has_manifest(const struct target_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        /* temp-...: the server stopped before it was renamed, and would not find it either */
        if (fnmatch("*.manifest", list->names[i], 0) == 0 && fnmatch("temp-*", list->names[i], 0) != 0)
            return true;
    }
    return false;
}

/* ---- 1: names that are data -------------------------------------------------------------------------------------- */

/* The folder of the append-only file: data with a manifest, ignorable when empty, and otherwise a server would start
 * empty on it and overwrite what is there: nobody can tell what that is. */
static enum target_state
judge_append_dir(struct target *t, const char *name)
{
    struct target_list list;
    enum target_state state = TARGET_UNSURE;

    if (target_list_read(t->dirfd, name, &list) < 0) {
        (void)snprintf(t->reason, sizeof(t->reason), "%s, which cannot be read (%s)", name, strerror(errno));
        return TARGET_UNSURE;
    }
    if (list.count == 0)
        state = TARGET_EMPTY;
    else if (has_manifest(&list))
        state = TARGET_DATA;
    (void)snprintf(t->reason, sizeof(t->reason), "%s, a folder %s", name,
                   state == TARGET_DATA ? "with the manifest of an append-only file"
                                        : "of append-only files without their manifest");
    target_list_free(&list);
    return state;
}

/* Under the configured name or the default one: who changed the configuration has the old data still. */
static bool
is_append_dir(const struct target *t, const char *name)
{
    return strcmp(name, t->options.names.appenddirname) == 0 || strcmp(name, target_names_default.appenddirname) == 0;
}

static bool
is_data_name(const struct target *t, const char *name)
{
    static const char *const patterns[] = {"*.aof", "nodes.conf"};
    const struct target_names *names[] = {&t->options.names, &target_names_default};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]->dbfilename) == 0 || strcmp(name, names[i]->appendfilename) == 0)
            return true;
    }
    return matches_any(name, patterns, ARRAY_LEN(patterns));
}

/* ---- 2: files that begin like a dump ----------------------------------------------------------------------------- */

static bool
is_ignorable(const struct target *t, const char *name)
{
    static const char *const patterns[] = {"lost+found", (TARGET_OURS "*"), "*.conf", "users.acl", "temp-*.rdb"};

    return matches_any(name, patterns, ARRAY_LEN(patterns)) ||
           matches_any(name, t->options.ignore, t->options.ignore_count);
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
    struct target_list list;
    enum content worst = CONTENT_OTHER;
    int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || target_list_read(dirfd, name, &list) < 0) {
        if (fd >= 0)
            (void)close(fd);
        return CONTENT_UNREADABLE;
    }
    for (size_t i = 0; worst != CONTENT_DUMP && i < list.count; i++) {
        enum content content = CONTENT_OTHER;
        struct stat st;

        if (fstatat(fd, list.names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
            content = CONTENT_UNREADABLE;
        else if (S_ISREG(st.st_mode))
            content = file_content(fd, list.names[i]);
        if (content != CONTENT_OTHER) {
            worst = content;
            (void)snprintf(found, found_size, "/%s", list.names[i]);
        }
    }
    target_list_free(&list);
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
judge_names(struct target *t, const struct target_list *list)
{
    enum target_state append_dir = TARGET_EMPTY, state = TARGET_EMPTY;
    char unsure[sizeof(t->reason)] = "";

    for (size_t i = 0; i < list->count; i++) {
        if (is_data_name(t, list->names[i])) {
            (void)snprintf(t->reason, sizeof(t->reason), "%s", list->names[i]);
            return TARGET_DATA;
        }
        if (is_append_dir(t, list->names[i])) {
            enum target_state one = judge_append_dir(t, list->names[i]);

            if (one == TARGET_DATA)
                return TARGET_DATA;
            if (one == TARGET_UNSURE && append_dir == TARGET_EMPTY)
                memcpy(unsure, t->reason, sizeof(unsure));
            append_dir = one == TARGET_UNSURE ? one : append_dir;
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        if (is_ignorable(t, list->names[i]) || is_append_dir(t, list->names[i]))
            continue;
        if (judge_entry(t, list->names[i]) == TARGET_DATA)
            return TARGET_DATA;
        if (*unsure == '\0')
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
    struct target_list list;

    if (target_list_read(t->dirfd, ".", &list) < 0)
        return err_sys(err, is_curable(errno) ? ERR_USAGE : ERR_INTERNAL, errno, "read the target %s", t->path);
    *state = judge_names(t, &list);
    target_list_free(&list);
    return 0;
}

bool
target_is_in_the_way(const struct target *t, const char *name)
{
    struct target_list list;
    bool full;

    if (is_append_dir(t, name)) {
        if (target_list_read(t->dirfd, name, &list) < 0)
            return true;
        full = list.count > 0;
        target_list_free(&list);
        return full;
    }
    return strncmp(name, TARGET_OURS, strlen(TARGET_OURS)) != 0 && (is_data_name(t, name) || !is_ignorable(t, name));
}
