/* SPDX-License-Identifier: Apache-2.0 */
/* config_bundle.c: see config_bundle.h. */
#include "snapshot/config_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/tar_write.h"
#include "snapshot/redis/redact.h"

#define INDEX_NAME "files/INDEX.txt"

struct entry {
    char *name; /* in the tar */
    char *path; /* where it came from; NULL: from the server */
    char *data;
    size_t len;
    int64_t mtime_ms;
};

struct config_bundle {
    bool redact;
    struct entry *entries;
    size_t count;
    size_t secrets;
};

struct config_bundle *
config_bundle_new(bool redact)
{
    struct config_bundle *b = mem_new(sizeof(*b));

    b->redact = redact;
    return b;
}

void
config_bundle_free(struct config_bundle *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->count; i++) {
        mem_wipe(b->entries[i].data, b->entries[i].len);
        free(b->entries[i].name);
        free(b->entries[i].path);
        free(b->entries[i].data);
    }
    free(b->entries);
    free(b);
}

static struct entry *
add(struct config_bundle *b)
{
    b->entries = mem_grow(b->entries, b->count + 1, sizeof(*b->entries));
    b->entries[b->count] = (struct entry){0};
    return &b->entries[b->count++];
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static bool
is_taken(const struct config_bundle *b, const char *name)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->entries[i].name != NULL && strcmp(b->entries[i].name, name) == 0)
            return true;
    }
    return strcmp(name, INDEX_NAME) == 0;
}

/* A name for PATH in the tar that any system can unpack: what is not printable ASCII is "_" in it. */
static char *
name_for(const struct config_bundle *b, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *base = mem_printf("files/%s", slash != NULL ? slash + 1 : path), *name;

    for (char *c = base; *c != '\0'; c++) {
        if (*c < ' ' || *c == 127)
            *c = '_';
    }
    name = mem_strdup(base);
    for (unsigned n = 2; is_taken(b, name); n++) {
        free(name);
        name = mem_printf("%s.%u", base, n);
    }
    free(base);
    return name;
}

/* All of a regular file that is not too large. A pipe would have us wait for ever. */
static int
read_file(const char *path, struct entry *e, struct err *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct err why = ERR_INIT;
    struct stat st;
    int rc = -1;

    if (fd < 0)
        return err_set(err, ERR_USAGE, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        (void)err_set(err, ERR_USAGE, "%s is no regular file", path);
        goto out;
    }
    e->data = mem_new(CONFIG_FILE_MAX + 1);
    if (file_read_at(fd, e->data, CONFIG_FILE_MAX + 1, 0, &e->len, &why) < 0) {
        (void)err_set(err, ERR_USAGE, "%s: %s", path, why.msg);
        goto out;
    }
    if (e->len > CONFIG_FILE_MAX) {
        (void)err_set(err, ERR_USAGE, "%s is larger than %u MiB: that is no configuration file", path,
                      CONFIG_FILE_MAX >> 20);
        goto out;
    }
    e->data = mem_grow(e->data, e->len + 1, 1);
    e->mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    rc = 0;
out:
    (void)close(fd);
    return rc;
}

static int
redact(struct config_bundle *b, struct entry *e, struct err *err)
{
    struct err why = ERR_INIT;
    struct buf clean;
    size_t secrets = 0;

    if (memchr(e->data, '\0', e->len) != NULL)
        return err_set(
            err, ERR_USAGE,
            "%s is no text, so secrets in it could not be found: leave it out, or give --config-secrets keep", e->path);
    buf_init(&clean, 2 * CONFIG_FILE_MAX);
    if (redact_text(e->data, e->len, &clean, &secrets, &why) < 0) {
        buf_fini(&clean);
        return err_set(err, ERR_USAGE, "%s: %s", e->path, why.msg);
    }
    b->secrets += secrets;
    mem_wipe(e->data, e->len);
    free(e->data);
    e->len = clean.len;
    e->data = buf_steal(&clean);
    return 0;
}

int
config_bundle_add_file(struct config_bundle *b, const char *path, struct err *err)
{
    struct entry *e;

    if (strpbrk(path, "\r\n\t") != NULL)
        return err_set(err, ERR_USAGE, "the name of a configuration file has a tab or a line's end in it");
    e = add(b);
    e->path = mem_strdup(path);
    if (read_file(path, e, err) < 0 || (b->redact && redact(b, e, err) < 0))
        return -1;
    e->name = name_for(b, path);
    return 0;
}

/* ---- the server -------------------------------------------------------------------------------------------------- */

static void
add_text(struct config_bundle *b, const char *what, const struct server_text *t)
{
    struct entry *e = add(b);

    e->mtime_ms = clock_wall_ms();
    if (t->text != NULL) {
        e->name = mem_printf("server/%s.txt", what);
        e->data = mem_strndup(t->text, t->len);
        e->len = t->len;
    } else {
        e->name = mem_printf("server/%s.refused.txt", what);
        e->data = mem_printf("The server did not tell this: %s\n", t->why);
        e->len = strlen(e->data);
    }
}

void
config_bundle_add_server(struct config_bundle *b, const struct server_settings *s)
{
    b->secrets += s->secrets;
    add_text(b, "config-get", &s->config);
    add_text(b, "acl-list", &s->acl);
}

void
config_bundle_add_no_server(struct config_bundle *b, const char *why)
{
    struct server_settings none = {0};

    (void)snprintf(none.config.why, sizeof(none.config.why), "%.500s", why);
    none.acl = none.config;
    config_bundle_add_server(b, &none);
}

size_t
config_bundle_files(const struct config_bundle *b)
{
    return b->count;
}

size_t
config_bundle_secrets(const struct config_bundle *b)
{
    return b->secrets;
}

/* ---- the tar ----------------------------------------------------------------------------------------------------- */

static int
write_entry(struct tar_writer *w, const char *name, const void *data, size_t len, int64_t mtime_ms, struct err *err)
{
    if (tar_writer_file(w, name, len, mtime_ms, err) < 0)
        return -1;
    return len > 0 ? tar_writer_data(w, data, len, err) : 0;
}

/* Which file came from where. */
static int
write_index(const struct config_bundle *b, struct tar_writer *w, struct err *err)
{
    struct buf text;
    int rc = 0;

    buf_init(&text, CONFIG_TAR_MAX);
    for (size_t i = 0; rc == 0 && i < b->count; i++) {
        const struct entry *e = &b->entries[i];

        if (e->path != NULL)
            rc = buf_printf(&text, err, "%s\t%s\n", e->name + strlen("files/"), e->path);
    }
    if (rc == 0)
        rc = write_entry(w, INDEX_NAME, text.data, text.len, clock_wall_ms(), err);
    buf_fini(&text);
    return rc;
}

static int
write_all(const struct config_bundle *b, struct tar_writer *w, struct err *err)
{
    if (write_index(b, w, err) < 0)
        return -1;
    for (size_t i = 0; i < b->count; i++) {
        const struct entry *e = &b->entries[i];

        if (write_entry(w, e->name, e->data, e->len, e->mtime_ms, err) < 0)
            return -1;
    }
    return tar_writer_finish(w, err);
}

int
config_bundle_write(const struct config_bundle *b, struct buf *tar, struct err *err)
{
    struct tar_writer *w;
    int rc = -1;

    buf_init(tar, CONFIG_TAR_MAX);
    w = tar_writer_to_buf(tar, err);
    if (w != NULL)
        rc = write_all(b, w, err);
    tar_writer_free(w);
    if (rc < 0 && err->code == ERR_NO_SPACE)
        return err_set(err, ERR_USAGE, "the configuration files have more than %u MiB together", CONFIG_TAR_MAX >> 20);
    return rc;
}
