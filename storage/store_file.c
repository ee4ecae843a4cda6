/* SPDX-License-Identifier: Apache-2.0 */
/* store_file.c: see store_file.h. The way to a folder is in store_file_dir.c, the listing in store_file_list.c. */
#include "storage/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "storage/store_file_dir.h"

/* How often a put begins anew because its folder was removed (it had become empty) before the new file was in it. */
#define PUT_TRIES 100

struct store_file {
    struct store store;
    char *root;            /* an absolute path */
    pthread_mutex_t mutex; /* guards `synced` */
    char *synced;          /* the folder of the last put: it and its parents are known to last; NULL: none */
};

static struct store_file *
self(struct store *s)
{
    return (struct store_file *)s;
}

static int
absent(struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no such object");
}

static int64_t
mtime_ms(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

/* ---- put ---- */

static bool
is_synced(struct store_file *f, const char *key, size_t len)
{
    bool same;

    (void)pthread_mutex_lock(&f->mutex);
    same = f->synced != NULL && strncmp(f->synced, key, len) == 0 && f->synced[len] == '\0';
    (void)pthread_mutex_unlock(&f->mutex);
    return same;
}

/* Remember the folder of the first LEN bytes of KEY; NULL: forget. */
static void
set_synced(struct store_file *f, const char *key, size_t len)
{
    char *synced = key != NULL ? mem_strndup(key, len) : NULL;

    (void)pthread_mutex_lock(&f->mutex);
    free(f->synced);
    f->synced = synced;
    (void)pthread_mutex_unlock(&f->mutex);
}

static int
bring_in(int dir, const char *temp, const char *name, unsigned flags, struct err *err)
{
    if ((flags & STORE_PUT_CREATE) != 0)
        return file_rename_in(dir, temp, dir, name, FILE_RENAME_ATOMIC, err) < 0 ? store_file_recode(err) : 0;
    if (renameat(dir, temp, dir, name) < 0)
        return err_sys(err, store_file_code(errno), errno, "rename to %s", name);
    return 0;
}

static int
put_in_folder(int dir, const struct store_put *put, struct err *err)
{
    char temp[NAME_MAX + 1];

    if (file_write_temp(dir, STORE_FILE_TEMP_PREFIX, put->data, put->len, STORE_FILE_MODE, temp, sizeof(temp), err) < 0)
        return store_file_recode(err);
    if (bring_in(dir, temp, store_file_base(put->key), put->flags, err) < 0) {
        (void)unlinkat(dir, temp, 0);
        return -1;
    }
    return file_sync_dir(dir, err) < 0 ? store_file_recode(err) : 0;
}

static int
file_put(struct store *s, const struct store_put *put, struct err *err)
{
    struct store_file *f = self(s);
    size_t folder_len = store_file_folder_len(put->key);
    int rc = -1;

    if (store_file_reserved(put->key))
        return err_set(err, ERR_USAGE, "such a name belongs to the file system");
    for (int tries = 0; rc < 0 && tries < PUT_TRIES; tries++) {
        bool synced = is_synced(f, put->key, folder_len);
        struct err why = ERR_INIT;
        int dir = store_file_make_folder(f->root, put->key, folder_len, !synced, &why);

        if (dir >= 0) {
            rc = put_in_folder(dir, put, &why);
            (void)close(dir);
        }
        if (rc == 0 && !synced)
            set_synced(f, put->key, folder_len);
        if (rc < 0 && (why.sys != ENOENT || tries + 1 == PUT_TRIES)) {
            *err = why;
            return -1;
        }
    }
    return rc;
}

/* ---- get, stat ---- */

/* Open the folder of KEY; every way of not being there is "no such object", but for the root. */
static int
open_folder_of(const struct store_file *f, const char *key, struct err *err)
{
    int dir = store_file_open_folder(f->root, key, store_file_folder_len(key), err);

    if (dir < 0 && err->code == ERR_NOT_FOUND && err->sys != 0)
        return absent(err);
    return dir;
}

/* Open the object; O_NONBLOCK, since what stands there may be a FIFO. */
static int
open_object(const struct store_file *f, const char *key, struct err *err)
{
    int dir = open_folder_of(f, key, err), fd, saved;
    struct stat st;

    if (dir < 0)
        return -1;
    fd = openat(dir, store_file_base(key), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    saved = errno;
    (void)close(dir);
    if (fd < 0 && (store_file_absent(saved) || saved == ENXIO)) /* ENXIO: a socket */
        return absent(err);
    if (fd < 0)
        return err_sys(err, store_file_code(saved), saved, "open");
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    (void)close(fd);
    return absent(err);
}

static int
file_get(struct store *s, const char *key, uint64_t off, void *buf, size_t len, size_t *got, struct err *err)
{
    int fd = open_object(self(s), key, err), rc = 0;
    size_t have = 0;

    if (fd < 0)
        return -1;
    while (have < len && off <= INT64_MAX - len) { /* behind it no file can have bytes */
        ssize_t n = pread(fd, (char *)buf + have, len - have, (off_t)(off + have));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_sys(err, store_file_code(errno), errno, "read");
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    (void)close(fd);
    *got = have;
    return rc;
}

static int
file_stat(struct store *s, const char *key, struct store_object *object, struct err *err)
{
    int dir = open_folder_of(self(s), key, err), rc, saved;
    struct stat st;

    if (dir < 0)
        return -1;
    rc = fstatat(dir, store_file_base(key), &st, AT_SYMLINK_NOFOLLOW);
    saved = errno;
    (void)close(dir);
    if (rc < 0 && !store_file_absent(saved))
        return err_sys(err, store_file_code(saved), saved, "stat");
    if (rc < 0 || !S_ISREG(st.st_mode))
        return absent(err);
    object->size = (uint64_t)st.st_size;
    object->mtime_ms = mtime_ms(&st);
    return 0;
}

static int
file_list(struct store *s, const struct store_list *what, store_list_fn *fn, void *cookie, struct err *err)
{
    return store_file_list(self(s)->root, what, fn, cookie, err);
}

/* ---- remove ---- */

/* Remove NAME in the folder DIR when it is an object. */
static int
remove_in(int dir, const char *name, struct err *err)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return store_file_absent(errno) ? 0 : err_sys(err, store_file_code(errno), errno, "stat");
    if (!S_ISREG(st.st_mode))
        return 0;
    if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
        return err_sys(err, store_file_code(errno), errno, "unlink");
    return 0;
}

/* Remove the folder of the first LEN bytes of KEY and those above it, as far as they are empty. That one of them is
 * not, or may not be removed, is no failure: the object is gone. */
static void
remove_empty_folders(struct store_file *f, const char *key, size_t len)
{
    char folder[STORE_KEY_MAX + 1];
    struct err unused = ERR_INIT;
    bool removed = true;

    memcpy(folder, key, len);
    for (folder[len] = '\0'; removed && folder[0] != '\0';) {
        size_t above = store_file_folder_len(folder);
        int dir = store_file_open_folder(f->root, folder, above, &unused);

        removed = dir >= 0 && unlinkat(dir, store_file_base(folder), AT_REMOVEDIR) == 0;
        if (dir >= 0)
            (void)close(dir);
        if (removed)
            set_synced(f, NULL, 0); /* should it be made again, it is to be synced again */
        folder[above] = '\0';
    }
}

static int
file_remove(struct store *s, const char *key, struct err *err)
{
    struct store_file *f = self(s);
    size_t len = store_file_folder_len(key);
    struct err why = ERR_INIT;
    int dir = store_file_open_folder(f->root, key, len, &why), rc;

    if (dir < 0 && why.code == ERR_NOT_FOUND && why.sys != 0)
        return 0;
    if (dir < 0) {
        *err = why;
        return -1;
    }
    rc = remove_in(dir, store_file_base(key), err);
    (void)close(dir);
    if (rc == 0)
        remove_empty_folders(f, key, len);
    return rc;
}

/* ---- now ---- */

/* The time that the file system gives to a new file: an NFS server's clock is not ours. */
static int
file_system_now(int root, int64_t *now_ms, struct err *err)
{
    char temp[NAME_MAX + 1];
    struct stat st;
    int fd = file_open_temp(root, STORE_FILE_TEMP_PREFIX, STORE_FILE_MODE, temp, sizeof(temp), err), rc = 0;

    if (fd < 0)
        return store_file_recode(err);
    if (fstat(fd, &st) < 0)
        rc = err_sys(err, ERR_STORAGE, errno, "stat a temporary file");
    (void)close(fd); /* first, so that an NFS client has no open file to hide */
    (void)unlinkat(root, temp, 0);
    if (rc == 0)
        *now_ms = mtime_ms(&st);
    return rc;
}

static int
file_now(struct store *s, int64_t *now_ms, struct err *err)
{
    int root = store_file_open_root(self(s)->root, err), rc = 0;
    struct err why = ERR_INIT;

    if (root < 0)
        return -1;
    if ((s->features & STORE_WRITABLE) == 0 || file_system_now(root, now_ms, &why) < 0) {
        *now_ms = clock_wall_ms();
        /* A file that cannot be made because of a permission or a full disk says nothing against our own clock. */
        if (why.code != ERR_NONE && why.code != ERR_STORE_DENIED && why.code != ERR_NO_SPACE) {
            *err = why;
            rc = -1;
        }
    }
    (void)close(root);
    return rc;
}

/* ---- open ---- */

static void
file_free(struct store *s)
{
    struct store_file *f = self(s);

    (void)pthread_mutex_destroy(&f->mutex);
    free(f->synced);
    free(f->root);
    free(f);
}

static const struct store_ops file_ops = {
    .name = "file",
    .put = file_put,
    .get = file_get,
    .stat = file_stat,
    .list = file_list,
    .remove = file_remove,
    .now = file_now,
    .free = file_free,
};

/* Can a file be brought in without overwriting? False only when the file system says that it cannot; what else goes
 * wrong here is for the puts to tell. */
static bool
offers_create_only(int root)
{
    char from[NAME_MAX + 1], to[NAME_MAX + 8];
    struct err err = ERR_INIT;
    bool offered = true;

    if (file_write_temp(root, STORE_FILE_TEMP_PREFIX, "", 0, STORE_FILE_MODE, from, sizeof(from), &err) < 0)
        return true;
    (void)snprintf(to, sizeof(to), "%s-to", from);
    if (file_rename_in(root, from, root, to, FILE_RENAME_ATOMIC, &err) < 0)
        offered = err.code != ERR_UNSUPPORTED;
    (void)unlinkat(root, from, 0);
    (void)unlinkat(root, to, 0);
    return offered;
}

/* PATH without slashes at its end, made absolute. NULL with an error. */
static char *
absolute_path(const char *path, struct err *err)
{
    char cwd[PATH_MAX], *absolute;
    size_t len;

    if (path[0] == '\0') {
        (void)err_set(err, ERR_USAGE, "the path of the repository's folder is empty");
        return NULL;
    }
    if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL) {
        (void)err_sys(err, ERR_INTERNAL, errno, "find the working folder, to resolve %s", path);
        return NULL;
    }
    absolute = path[0] == '/' ? mem_strdup(path) : mem_printf("%s/%s", cwd, path);
    for (len = strlen(absolute); len > 1 && absolute[len - 1] == '/'; len--)
        absolute[len - 1] = '\0';
    return absolute;
}

static int
open_or_make_root(const char *root, bool make, struct err *err)
{
    struct err why = ERR_INIT;
    int fd = store_file_open_root(root, &why);

    if (fd < 0 && make && why.code == ERR_NOT_FOUND) {
        if (file_make_dirs(AT_FDCWD, root, STORE_FILE_DIR_MODE, err) < 0)
            return store_file_recode(err);
        fd = store_file_open_root(root, &why);
    }
    if (fd < 0)
        *err = why;
    return fd;
}

struct store *
store_file_open(const char *path, unsigned flags, struct err *err)
{
    char *root = absolute_path(path, err);
    struct store_file *f;
    int fd;

    if (root == NULL)
        return NULL;
    fd = open_or_make_root(root, (flags & STORE_FILE_MAKE_ROOT) != 0, err);
    if (fd < 0) {
        free(root);
        return NULL;
    }
    f = mem_new(sizeof(*f));
    f->store.ops = &file_ops;
    f->store.url = mem_printf("file://%s", root);
    f->root = root;
    REQUIRE(pthread_mutex_init(&f->mutex, NULL) == 0);
    if ((flags & STORE_FILE_READ_ONLY) == 0)
        f->store.features = STORE_WRITABLE | (offers_create_only(fd) ? STORE_CREATE_ONLY : 0);
    (void)close(fd);
    return &f->store;
}

int
store_file_sweep(struct store *s, const char *folder, int64_t min_age_ms, uint64_t *removed, struct err *err)
{
    int64_t now = 0;

    REQUIRE(s->ops == &file_ops);
    *removed = 0;
    if ((s->features & STORE_WRITABLE) == 0)
        return err_set(err, ERR_REFUSED, "%s: the store was opened for reading only", s->url);
    if (file_now(s, &now, err) < 0 ||
        store_file_sweep_folder(self(s)->root, folder, now - min_age_ms, removed, err) < 0)
        return err_wrap(err, "%s: remove old temporary files", s->url);
    return 0;
}
