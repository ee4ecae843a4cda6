/* SPDX-License-Identifier: Apache-2.0 */
/* redis_conf_load.c: see redis_conf_load.h. */
#include "snapshot/redis/redis_conf_load.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)
#define FILES_MAX      256
#define DEPTH_MAX      16

struct loader {
    struct redis_conf *conf;
    unsigned depth; /* files that are being read, one within the other */
    unsigned files; /* that were read so far */
};

static redis_conf_include_fn include;

/* Add a file's bytes to TEXT. */
static int
read_file(struct loader *l, const char *path, struct buf *text, struct err *err)
{
    struct err why = ERR_INIT;
    char *data = NULL;
    size_t len = 0;
    int rc;

    if (l->files++ == FILES_MAX)
        return err_set(err, ERR_USAGE, "more than %d files are included", FILES_MAX);
    if (file_read_all(AT_FDCWD, path, FILE_MAX_BYTES, &data, &len, &why) < 0)
        return err_set(err, ERR_USAGE, "%s", why.msg);
    rc = buf_append(text, data, len, err);
    free(data);
    return rc < 0 ? err_set(err, ERR_USAGE, "%s: together with the files before it, it is too large", path) : 0;
}

static int
parse(struct loader *l, const char *name, const struct buf *text, struct err *err)
{
    const struct redis_conf_source source = {.name = name, .include = include, .cookie = l};
    int rc;

    if (text->len == 0)
        return 0;
    if (l->depth == DEPTH_MAX)
        return err_set(err, ERR_USAGE, "%s: files include one another more than %d deep", name, DEPTH_MAX);
    l->depth++;
    rc = redis_conf_parse(l->conf, &source, text->data, text->len, err);
    l->depth--;
    return rc;
}

/* ---- include ----------------------------------------------------------------------------------------------------- */

/* What is not there matches nothing; what cannot be looked into might have matched. */
static int
is_glob_fatal(const char *path, int errnum)
{
    (void)path;
    return errnum != ENOENT && errnum != ENOTDIR;
}

/* One text of all files that match, without a newline between them: so do servers read them. */
static int
read_matches(struct loader *l, const char *pattern, struct buf *text, struct err *err)
{
    glob_t found = {0};
    int rc = glob(pattern, 0, is_glob_fatal, &found);

    if (rc == GLOB_NOMATCH) {
        log_warn("an include of the server's configuration matches no file here", LOG_S("include", pattern));
        rc = 0;
    } else if (rc != 0) {
        rc = err_set(err, ERR_USAGE, "cannot look for %s: its folder cannot be read", pattern);
    } else {
        for (size_t i = 0; i < found.gl_pathc && rc == 0; i++)
            rc = read_file(l, found.gl_pathv[i], text, err);
    }
    globfree(&found);
    return rc;
}

/* PATTERN seen from the server's working folder; in a pattern the folder's own special characters are none. */
static char *
place(const char *dir, const char *pattern, bool is_glob)
{
    char *text, *to;

    if (pattern[0] == '/' || dir[0] == '\0')
        return mem_strdup(pattern);
    to = text = mem_new(2 * strlen(dir) + 1 + strlen(pattern) + 1);
    for (; *dir != '\0'; dir++) {
        if (is_glob && strchr("*?[\\", *dir) != NULL)
            *to++ = '\\';
        *to++ = *dir;
    }
    *to++ = '/';
    memcpy(to, pattern, strlen(pattern) + 1);
    return text;
}

static int
include(const char *pattern, void *cookie, struct err *err)
{
    struct loader *l = cookie;
    bool is_glob = strpbrk(pattern, "*?[") != NULL;
    char *path = place(l->conf->config.dir, pattern, is_glob);
    struct buf text;
    int rc;

    buf_init(&text, FILE_MAX_BYTES);
    rc = is_glob ? read_matches(l, path, &text, err) : read_file(l, path, &text, err);
    if (rc < 0)
        (void)err_wrap(err, "include %s", pattern);
    else
        rc = parse(l, path, &text, err);
    buf_fini(&text);
    free(path);
    return rc;
}

int
redis_conf_load(const char *path, struct redis_conf *conf, struct err *err)
{
    struct loader l = {.conf = conf};
    struct buf text;
    int rc;

    memset(conf, 0, sizeof(*conf));
    buf_init(&text, FILE_MAX_BYTES);
    rc = read_file(&l, path, &text, err);
    if (rc == 0)
        rc = parse(&l, path, &text, err);
    buf_fini(&text);
    return rc;
}
