/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: see client.h. */
#include "snapshot/redis/client.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define DEFAULT_CONNECT_TIMEOUT_MS 5000
#define DEFAULT_REPLY_TIMEOUT_MS   30000
#define READ_BYTES                 16384

struct client {
    const struct endpoint *endpoint;
    struct client_options options;
    struct transport *transport;
    struct resp_parser *parser;
    bool lost;
};

/* The moment TIMEOUT_MS from now, but not after the deadline for all. */
static int64_t
deadline_for(const struct client_options *o, int64_t timeout_ms)
{
    int64_t at = clock_mono_ms() + timeout_ms;

    return o->deadline_ms > 0 && o->deadline_ms < at ? o->deadline_ms : at;
}

/* ---- error replies ---------------------------------------------------------------------------------------------- */

bool
reply_has_code(const struct reply *r, const char *code)
{
    size_t len = strlen(code);

    return r->type == REPLY_ERROR && strncmp(r->text, code, len) == 0 && (r->text[len] == ' ' || r->text[len] == '\0');
}

const char *
client_words(const struct reply *r, char out[CLIENT_WORDS_MAX])
{
    size_t len = r->len < CLIENT_WORDS_MAX - 1 ? r->len : CLIENT_WORDS_MAX - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = iscntrl((unsigned char)r->text[i]) ? '?' : r->text[i];
    out[len] = '\0';
    return out;
}

static bool
is_unknown_command(const struct reply *r)
{
    return strncasecmp(r->text, "ERR unknown command", strlen("ERR unknown command")) == 0;
}

/* The ACL rule that allows ARGV: "+bgsave", "+config|get". */
static void
acl_rule(const char *const *argv, char rule[64])
{
    bool has_subcommand = strcmp(argv[0], "CONFIG") == 0 && argv[1] != NULL;

    (void)snprintf(rule, 64, "+%s%s%s", argv[0], has_subcommand ? "|" : "", has_subcommand ? argv[1] : "");
    for (char *p = rule; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
}

int
client_refused(const struct client *c, const char *const *argv, const struct reply *r, struct err *err)
{
    const char *server = endpoint_describe(c->endpoint);
    char words[CLIENT_WORDS_MAX], rule[64];

    acl_rule(argv, rule);
    if (reply_has_code(r, "NOAUTH"))
        return err_set(err, ERR_SERVER_DENIED,
                       "%s to %s: the server wants a password: give it in --redis-url (redis://user:password@host), "
                       "with --redis-password-file or in REDISCLI_AUTH",
                       argv[0], server);
    if (reply_has_code(r, "NOPERM"))
        return err_set(err, ERR_SERVER_DENIED, "%s to %s: the user may not do that: add %s to its ACL rules (%s)",
                       argv[0], server, rule, client_words(r, words));
    if (is_unknown_command(r))
        return err_set(err, ERR_SERVER_DENIED,
                       "%s to %s: the server has no such command: it is renamed or disabled there, or this is a "
                       "managed service that does not offer it",
                       argv[0], server);
    if (reply_has_code(r, "DENIED"))
        return err_set(err, ERR_SERVER_DENIED,
                       "%s to %s: the server is in protected mode and takes no connection from here: set a password "
                       "for it (requirepass or an ACL user)",
                       argv[0], server);
    return err_set(err, ERR_SERVER, "%s to %s: the server answered \"%s\"", argv[0], server, client_words(r, words));
}

/* The same for AUTH, whose error replies may repeat the password (Redis names the arguments of an unknown command), so
 * that none of their words is passed on. */
static int
auth_refused(const struct client *c, const struct reply *r, struct err *err)
{
    const char *server = endpoint_describe(c->endpoint);
    const char *user = c->endpoint->user != NULL ? c->endpoint->user : "default";

    if (c->endpoint->password == NULL)
        return err_set(err, ERR_SERVER_DENIED,
                       "AUTH to %s: a user was given, but no password: a password alone is written "
                       "redis://:password@host, with a colon",
                       server);
    if (reply_has_code(r, "WRONGPASS") || strncmp(r->text, "ERR invalid password", 20) == 0)
        return err_set(err, ERR_SERVER_DENIED,
                       "AUTH to %s: wrong password for the user %s, or no such user, or it is disabled", server, user);
    if (strstr(r->text, "without any password configured") != NULL || strstr(r->text, "no password is set") != NULL)
        return err_set(err, ERR_SERVER_DENIED,
                       "AUTH to %s: a password was given, but the server has none for its default user: set "
                       "requirepass there, or give no password",
                       server);
    if (strstr(r->text, "wrong number of arguments") != NULL)
        return err_set(err, ERR_SERVER_DENIED,
                       "AUTH to %s: the server knows no users (Redis before 6.0): give the password alone, as in "
                       "redis://:password@host",
                       server);
    if (is_unknown_command(r))
        return err_set(err, ERR_SERVER_DENIED, "AUTH to %s: the server has no such command: it is renamed or disabled",
                       server);
    if (reply_has_code(r, "DENIED"))
        return client_refused(c, CLIENT_ARGS("AUTH"), r, err);
    return err_set(err, ERR_SERVER_DENIED, "AUTH to %s: the server did not take the user %s and its password", server,
                   user);
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static int
read_reply(struct client *c, int64_t deadline_ms, struct reply **out, struct err *err)
{
    char bytes[READ_BYTES];

    for (;;) {
        size_t got = 0;

        if (resp_parser_take(c->parser, out, err) < 0)
            return -1;
        if (*out != NULL)
            return 0;
        if (transport_read(c->transport, bytes, sizeof(bytes), deadline_ms, &got, err) < 0)
            return -1;
        if (got == 0)
            return err_set(err, ERR_SERVER, "the server closed the connection");
        if (resp_parser_feed(c->parser, bytes, got, err) < 0)
            return -1;
    }
}

static int
write_command(struct client *c, const char *const *argv, int64_t deadline_ms, struct err *err)
{
    size_t len = 0;
    char *command = resp_command(argv, &len);
    int rc = transport_write(c->transport, command, len, deadline_ms, err);

    resp_command_free(command, len);
    return rc;
}

int
client_send(struct client *c, const char *const *argv, struct err *err)
{
    if (write_command(c, argv, deadline_for(&c->options, c->options.reply_timeout_ms), err) == 0)
        return 0;
    c->lost = true;
    return err_wrap(err, "%s to %s", argv[0], endpoint_describe(c->endpoint));
}

struct transport *
client_transport(struct client *c)
{
    return c->transport;
}

int
client_call(struct client *c, const char *const *argv, struct reply **out, struct err *err)
{
    int64_t deadline_ms = deadline_for(&c->options, c->options.reply_timeout_ms);

    *out = NULL;
    if (write_command(c, argv, deadline_ms, err) < 0 || read_reply(c, deadline_ms, out, err) < 0) {
        c->lost = true;
        return err_wrap(err, "%s to %s", argv[0], endpoint_describe(c->endpoint));
    }
    return 0;
}

int
client_command(struct client *c, const char *const *argv, struct reply **out, struct err *err)
{
    if (client_call(c, argv, out, err) < 0)
        return -1;
    if ((*out)->type != REPLY_ERROR)
        return 0;
    (void)client_refused(c, argv, *out, err);
    reply_free(*out);
    *out = NULL;
    return -1;
}

static int
authenticate(struct client *c, struct err *err)
{
    const char *user = c->endpoint->user, *password = c->endpoint->password != NULL ? c->endpoint->password : "";
    struct reply *r = NULL;
    int rc;

    if (user == NULL && c->endpoint->password == NULL)
        return 0;
    rc = client_call(c, user != NULL ? CLIENT_ARGS("AUTH", user, password) : CLIENT_ARGS("AUTH", password), &r, err);
    if (rc == 0 && r->type == REPLY_ERROR)
        rc = auth_refused(c, r, err);
    reply_free(r);
    return rc;
}

void
client_set_reply_timeout(struct client *c, int64_t timeout_ms)
{
    c->options.reply_timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_REPLY_TIMEOUT_MS;
}

struct client *
client_connect(const struct endpoint *e, const struct client_options *options, struct err *err)
{
    struct client *c = mem_new(sizeof(*c));

    c->endpoint = e;
    if (options != NULL)
        c->options = *options;
    if (c->options.connect_timeout_ms <= 0)
        c->options.connect_timeout_ms = DEFAULT_CONNECT_TIMEOUT_MS;
    client_set_reply_timeout(c, c->options.reply_timeout_ms);
    c->parser = resp_parser_new();
    c->transport = transport_connect(e, deadline_for(&c->options, c->options.connect_timeout_ms), err);
    if (c->transport == NULL || authenticate(c, err) < 0) {
        client_free(c);
        return NULL;
    }
    return c;
}

bool
client_is_lost(const struct client *c)
{
    return c->lost;
}

void
client_free(struct client *c)
{
    if (c == NULL)
        return;
    transport_free(c->transport);
    resp_parser_free(c->parser);
    free(c);
}
