/* SPDX-License-Identifier: Apache-2.0 */
/* server_settings.c: see server_settings.h. */
#include "snapshot/redis/server_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/redact.h"
#include "snapshot/redis/settings_text.h"

/* A command that the server need not obey: *OUT is NULL, and WHY says so. -1: the connection is lost. */
static int
ask(struct client *c, const char *const *argv, struct reply **out, struct server_text *why, struct err *err)
{
    struct err refusal = ERR_INIT;

    if (client_command(c, argv, out, &refusal) == 0)
        return 0;
    *out = NULL;
    if (client_is_lost(c)) {
        *err = refusal;
        return -1;
    }
    (void)snprintf(why->why, sizeof(why->why), "%.500s", refusal.msg);
    return 0;
}

/* How one of the texts is made. */
typedef int make_fn(const struct reply *config, const struct reply *acl, struct buf *out, struct err *err);

static int
make_acl(const struct reply *config, const struct reply *acl, struct buf *out, struct err *err)
{
    (void)config;
    return settings_text_acl(acl, out, err);
}

/* Make a text and take its secrets out; what a server answers that is of no use is said in place of it. */
static void
make(make_fn *fn, const struct reply *config, const struct reply *acl, struct server_text *out, size_t *secrets)
{
    struct err why = ERR_INIT;
    struct buf plain, clean;
    size_t count = 0;

    buf_init(&plain, SERVER_SETTINGS_MAX / 2);
    buf_init(&clean, SERVER_SETTINGS_MAX);
    if (fn(config, acl, &plain, &why) == 0 && redact_text(plain.data, plain.len, &clean, &count, &why) == 0) {
        *secrets += count;
        out->len = clean.len;
        out->text = buf_steal(&clean);
    } else {
        (void)snprintf(out->why, sizeof(out->why), "%.500s", why.msg);
    }
    mem_wipe(plain.data, plain.len);
    buf_fini(&plain);
    buf_fini(&clean);
}

static void
reply_wipe(struct reply *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++) {
        if (r->elements[i]->text != NULL)
            mem_wipe(r->elements[i]->text, r->elements[i]->len);
    }
    reply_free(r);
}

int
server_settings_ask(const struct endpoint *e, struct server_settings *out, struct err *err)
{
    const struct client_options options = {0};
    struct reply *config = NULL, *acl = NULL;
    struct client *c = client_connect(e, &options, err);
    int rc = -1;

    memset(out, 0, sizeof(*out));
    if (c != NULL && ask(c, CLIENT_ARGS("CONFIG", "GET", "*"), &config, &out->config, err) == 0 &&
        ask(c, CLIENT_ARGS("ACL", "LIST"), &acl, &out->acl, err) == 0) {
        if (config != NULL)
            make(settings_text_config, config, acl, &out->config, &out->secrets);
        if (acl != NULL)
            make(make_acl, config, acl, &out->acl, &out->secrets);
        rc = 0;
    }
    reply_wipe(config);
    reply_wipe(acl);
    client_free(c);
    return rc;
}

void
server_settings_fini(struct server_settings *s)
{
    free(s->config.text);
    free(s->acl.text);
    memset(s, 0, sizeof(*s));
}
