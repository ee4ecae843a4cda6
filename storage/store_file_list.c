/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_file_list.c: the listing of the file store. It reads one folder's names at a time (those of the folders on the
 * way down stay in memory), sorts them and goes down; what the prefix and start_after leave out is not entered. A
 * folder sorts as its name with a slash, since that is where its keys are: "a-b", "a/b", "a0".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "storage/store_file_dir.h"

struct walk {
    const struct store_list *what;
    store_list_fn *fn;
    void *cookie;
    char key[STORE_KEY_MAX + 2]; /* where the walk is */
    size_t folder_len;           /* of `key`: the folder that is being read, with its slash */
};

/* The names of one folder that are wanted; folders have a slash at the end. */
struct names {
    struct walk *walk;
    char **list;
    size_t count, allocated;
};

static bool
starts_with(const char *s, const char *start)
{
    return strncmp(s, start, strlen(start)) == 0;
}

/* Can there be something to tell at KEY or, when it is a folder, below it? */
static bool
is_wanted(const struct store_list *what, const char *key, bool is_folder)
{
    if (!is_folder)
        return starts_with(key, what->prefix) && strcmp(key, what->start_after) > 0;
    return (starts_with(key, what->prefix) || starts_with(what->prefix, key)) &&
           (strcmp(key, what->start_after) > 0 || starts_with(what->start_after, key));
}

/* Put NAME behind the folder in walk->key; false when the key would be too long to be one. */
static bool
set_key(struct walk *w, const char *name, bool add_slash)
{
    size_t len = strlen(name);

    if (w->folder_len + len > STORE_KEY_MAX)
        return false;
    memcpy(w->key + w->folder_len, name, len);
    w->key[w->folder_len + len] = add_slash ? '/' : '\0';
    w->key[w->folder_len + len + add_slash] = '\0';
    return true;
}

static int
collect(int dirfd, const char *name, enum store_file_kind kind, void *cookie, struct err *err)
{
    struct names *n = cookie;
    bool is_folder = kind == STORE_FILE_FOLDER;

    (void)dirfd;
    (void)err;
    if (kind == STORE_FILE_ODD || !set_key(n->walk, name, is_folder) ||
        !is_wanted(n->walk->what, n->walk->key, is_folder))
        return 0;
    if (n->count == n->allocated) {
        n->allocated = n->allocated > 0 ? 2 * n->allocated : 64;
        n->list = mem_grow(n->list, n->allocated, sizeof(*n->list));
    }
    n->list[n->count++] = mem_strdup(n->walk->key + n->walk->folder_len);
    return 0;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
names_free(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->list[i]);
    free(n->list);
}

/* 1 at the first object at or below a folder. */
static int
find_object(int dirfd, const char *name, enum store_file_kind kind, void *cookie, struct err *err)
{
    struct err why = ERR_INIT;
    int child, rc;

    if (kind != STORE_FILE_FOLDER)
        return kind == STORE_FILE_OBJECT;
    child = store_file_open_child(dirfd, name, &why);
    if (child < 0 && why.code == ERR_NOT_FOUND)
        return 0;
    if (child < 0) {
        *err = why;
        return -1;
    }
    rc = store_file_each_entry(child, false, find_object, cookie, err);
    (void)close(child);
    return rc;
}

/* ---- telling: 0 goes on, 1 ends it, -1 fails ---- */

static int
tell_object(struct walk *w, int dirfd, const char *name, struct err *err)
{
    struct store_object object = {.key = w->key};
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return store_file_absent(errno) ? 0 : err_sys(err, store_file_code(errno), errno, "stat %s", w->key);
    if (!S_ISREG(st.st_mode))
        return 0;
    object.size = (uint64_t)st.st_size;
    object.mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    return w->fn(&object, w->cookie) ? 0 : 1;
}

static int walk_folder(struct walk *w, int dirfd, struct err *err);

/* The folder at walk->key, already open. */
static int
enter_folder(struct walk *w, int dirfd, struct err *err)
{
    size_t folder_len = w->folder_len;
    int rc;

    w->folder_len = strlen(w->key);
    if (w->what->delimiter == '\0' || w->folder_len <= strlen(w->what->prefix)) {
        rc = walk_folder(w, dirfd, err);
    } else if (strcmp(w->key, w->what->start_after) <= 0) {
        rc = 0; /* told before */
    } else {
        struct store_object folder = {.key = w->key, .is_folder = true};

        rc = store_file_each_entry(dirfd, false, find_object, NULL, err);
        if (rc > 0)
            rc = w->fn(&folder, w->cookie) ? 0 : 1;
    }
    w->folder_len = folder_len;
    return rc;
}

/* Open the folder NAME (with a slash) at walk->key and tell what is in it. */
static int
tell_folder(struct walk *w, int dirfd, const char *name, struct err *err)
{
    char child_name[STORE_KEY_PART_MAX + 1];
    size_t len = strlen(name) - 1;
    struct err why = ERR_INIT;
    int child, rc;

    REQUIRE(len < sizeof(child_name));
    memcpy(child_name, name, len);
    child_name[len] = '\0';
    child = store_file_open_child(dirfd, child_name, &why);
    if (child < 0 && why.code == ERR_NOT_FOUND)
        return 0; /* it was removed meanwhile */
    if (child < 0) {
        *err = why;
        return -1;
    }
    rc = enter_folder(w, child, err);
    (void)close(child);
    return rc;
}

static int
walk_folder(struct walk *w, int dirfd, struct err *err)
{
    struct names names = {.walk = w};
    int rc = store_file_each_entry(dirfd, w->folder_len == 0, collect, &names, err);

    if (rc < 0) {
        w->key[w->folder_len] = '\0';
        (void)err_wrap(err, "the folder \"%s\"", w->key);
    }
    if (rc == 0 && names.count > 0)
        qsort(names.list, names.count, sizeof(*names.list), compare_names);
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        const char *name = names.list[i];

        if (i > 0 && strcmp(name, names.list[i - 1]) == 0)
            continue; /* one that was overwritten while the folder was read */
        REQUIRE(set_key(w, name, false));
        rc = name[strlen(name) - 1] == '/' ? tell_folder(w, dirfd, name, err) : tell_object(w, dirfd, name, err);
    }
    names_free(&names);
    return rc;
}

int
store_file_list(const char *root, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    struct walk w = {.what = what, .fn = fn, .cookie = cookie};
    size_t len = strlen(what->prefix) <= STORE_KEY_MAX ? store_file_folder_len(what->prefix) : 0;
    struct err why = ERR_INIT;
    int dirfd, rc;

    /* Begin in the folder that the prefix names; a prefix that no key can have finds nothing. */
    memcpy(w.key, what->prefix, len);
    w.key[len] = '\0';
    if (len > 0 && (store_key_check(w.key, &why) < 0 || store_file_reserved(w.key)))
        len = 0;
    dirfd = store_file_open_folder(root, w.key, len, &why);
    if (dirfd < 0 && why.code == ERR_NOT_FOUND && why.sys != 0)
        return 0;
    if (dirfd < 0) {
        *err = why;
        return -1;
    }
    if (len > 0)
        w.key[len++] = '/';
    w.key[len] = '\0';
    w.folder_len = len;
    rc = walk_folder(&w, dirfd, err);
    (void)close(dirfd);
    return rc < 0 ? -1 : 0;
}
