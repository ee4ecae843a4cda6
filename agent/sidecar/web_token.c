/* SPDX-License-Identifier: Apache-2.0 */
/* web_token.c: see web_token.h. What tells that the file changed is taken before it is read: a change in between is
 * seen the next time. */
#include "agent/sidecar/web_token.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "agent/secret.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"

struct web_token {
    const char *path; /* NULL: none */
    bool usable;
    struct stat seen; /* the file when it was last read, or tried to be; zeros: there was none */
    uint8_t digest[DIGEST_SHA256_LEN];
};

/* -1: not usable now. A FIFO would keep the thread waiting. */
static int
read_token(struct web_token *t, struct err *err)
{
    char *token = NULL;

    t->usable = false;
    mem_wipe(t->digest, sizeof(t->digest));
    if (t->seen.st_nlink > 0 && !S_ISREG(t->seen.st_mode))
        return err_set(err, ERR_USAGE, "the token file %s is no regular file", t->path);
    if (secret_read_token(t->path, &token, err) < 0)
        return -1;
    digest_sha256(token, strlen(token), t->digest);
    secret_free(token);
    t->usable = true;
    return 0;
}

static void
look(const char *path, struct stat *st)
{
    if (stat(path, st) != 0)
        memset(st, 0, sizeof(*st));
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

struct web_token *
web_token_open(const char *path, struct err *err)
{
    struct web_token *t = mem_new(sizeof(*t));

    t->path = path;
    if (path == NULL)
        return t;
    look(path, &t->seen);
    if (read_token(t, err) < 0) {
        web_token_free(t);
        return NULL;
    }
    return t;
}

void
web_token_free(struct web_token *t)
{
    if (t != NULL)
        mem_wipe(t->digest, sizeof(t->digest));
    free(t);
}

static void
refresh(struct web_token *t)
{
    struct err err = ERR_INIT;
    struct stat now;
    bool was_usable = t->usable;

    look(t->path, &now);
    if (was_usable && is_same(&now, &t->seen))
        return;
    t->seen = now;
    if (read_token(t, &err) == 0)
        log_info("the token was read anew", LOG_S("file", t->path));
    else if (was_usable)
        log_warn("nothing can be triggered until the token file is in order", LOG_S("problem", err.msg));
}

/* What follows "Bearer " (RFC 6750; the scheme in any case), without blanks around it; NULL where it is anything
 * else. */
static const char *
shown_token(const char *authorization, size_t *len)
{
    static const char scheme[] = "Bearer ";

    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
        return NULL;
    authorization += sizeof(scheme) - 1;
    authorization += strspn(authorization, " ");
    for (*len = strlen(authorization); *len > 0 && strchr(" \t", authorization[*len - 1]) != NULL;)
        --*len;
    return authorization;
}

enum web_token_verdict
web_token_check(struct web_token *t, const char *authorization)
{
    uint8_t digest[DIGEST_SHA256_LEN];
    size_t len = 0;
    const char *shown = shown_token(authorization, &len);
    bool right;

    if (t->path == NULL)
        return WEB_TOKEN_NO_FILE;
    refresh(t);
    if (!t->usable)
        return WEB_TOKEN_UNREADABLE;
    if (shown == NULL)
        return WEB_TOKEN_WRONG;
    digest_sha256(shown, len, digest);
    right = digest_sha256_equal(digest, t->digest);
    mem_wipe(digest, sizeof(digest));
    return right ? WEB_TOKEN_RIGHT : WEB_TOKEN_WRONG;
}
