/* SPDX-License-Identifier: Apache-2.0 */
/* check_server.c: see check_server.h. */
#include "snapshot/check/check_server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "snapshot/check/check_disk.h"
#include "snapshot/check/check_judge.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/info.h"

#define REPLY_TIMEOUT_MS 10000
#define SMALL_FILE       64
#define OVERCOMMIT_FILE  "/proc/sys/vm/overcommit_memory"

/* The conversation. */
struct talk {
    struct check *check;
    const struct endpoint *endpoint;
    bool by_psync;
    struct client *client; /* NULL: there is none, or it was lost */
    char user[128];        /* as whom we speak */
    struct reply *info;    /* NULL: not allowed */
    struct check_facts facts;
};

static const char remedy_reach[] =
    "look whether the server runs, at --redis-url, and at firewalls and network policies";
static const char remedy_files[] = "correct the files of --tls-ca, --tls-cert and --tls-key";
static const char remedy_auth[] =
    "give what the server takes: user and password in --redis-url, --redis-password-file or "
    "REDISCLI_AUTH, with TLS perhaps a certificate (--tls-cert)";

/* One command; NULL when the connection was lost, of which there is a row then. */
static struct reply *
ask(struct talk *t, const char *const *argv)
{
    struct err err = ERR_INIT;
    struct reply *r = NULL;

    if (t->client == NULL || client_call(t->client, argv, &r, &err) == 0)
        return r;
    /* TLS 1.3: what the server thinks of our certificate comes with its first answer. */
    if (err.code == ERR_SERVER_DENIED)
        check_failed(t->check, "auth", &err, remedy_auth);
    else
        check_failed(t->check, "connection", &err, "look at the server's log and its state, then run this again");
    client_free(t->client);
    t->client = NULL;
    return NULL;
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

/* A first PING: a server that wants a password says so only now. */
static bool
is_let_in(struct talk *t)
{
    struct reply *r = ask(t, CLIENT_ARGS("PING"));
    struct err err = ERR_INIT;
    bool let_in = r != NULL && !reply_has_code(r, "NOAUTH") && !reply_has_code(r, "DENIED");

    if (r != NULL && !let_in) {
        (void)client_refused(t->client, CLIENT_ARGS("PING"), r, &err);
        check_failed(t->check, "auth", &err, remedy_auth);
    }
    reply_free(r);
    return let_in;
}

static void
learn_user(struct talk *t)
{
    struct reply *r = ask(t, CLIENT_ARGS("ACL", "WHOAMI"));

    (void)snprintf(t->user, sizeof(t->user), "%s",
                   r != NULL && r->type == REPLY_STRING ? r->text
                   : t->endpoint->user != NULL          ? t->endpoint->user
                                                        : "default");
    reply_free(r);
}

/* False: nothing more can be asked. */
static bool
probe_connection(struct talk *t)
{
    const struct client_options options = {.reply_timeout_ms = REPLY_TIMEOUT_MS};
    struct err err = ERR_INIT;

    t->client = client_connect(t->endpoint, &options, &err);
    if (t->client == NULL && err.code != ERR_SERVER_DENIED) {
        check_failed(t->check, "reachable", &err, err.code == ERR_USAGE ? remedy_files : remedy_reach);
        return false;
    }
    check_ok(t->check, "reachable", "%s takes connections", endpoint_describe(t->endpoint));
    if (t->client == NULL) {
        check_failed(t->check, "auth", &err, remedy_auth);
        return false;
    }
    if (!is_let_in(t))
        return false;
    learn_user(t);
    check_ok(t->check, "auth", "as the user %s", t->user);
    return t->client != NULL;
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

enum need { NEEDLESS, USEFUL, NEEDED };
enum allowed { ALLOWED, FORBIDDEN, ABSENT, NOT_KNOWN };

static const struct command {
    const char *row;
    const char *argv[4];
    bool is_harmless;        /* it can be sent, just to see */
    enum need bgsave, psync; /* for a backup by either */
    const char *rule;
    const char *without; /* USEFUL: what is not known without it */
} commands[] = {
    {"command-ping", {"PING"}, true, NEEDLESS, NEEDLESS, "+ping", ""},
    {"command-info", {"INFO"}, true, NEEDED, USEFUL, "+info", "the server's version and state"},
    {"command-bgsave", {"BGSAVE"}, false, NEEDED, NEEDLESS, "+bgsave", ""},
    {"command-lastsave", {"LASTSAVE"}, true, NEEDLESS, NEEDLESS, "+lastsave", ""},
    {"command-config-get",
     {"CONFIG", "GET", "dbfilename"},
     true,
     USEFUL,
     USEFUL,
     "+config|get",
     "the dump's name (taken for dump.rdb) and the settings that a restore should know"},
    {"command-role", {"ROLE"}, true, USEFUL, USEFUL, "+role", "the role, where INFO is denied too"},
    {"command-psync", {"PSYNC", "?", "-1"}, false, NEEDLESS, NEEDED, "+psync", ""},
    {"command-replconf", {"REPLCONF", "listening-port", "0"}, false, NEEDLESS, NEEDED, "+replconf", ""},
};

static bool
is_unknown_command(const struct reply *r)
{
    return r->type == REPLY_ERROR && strncasecmp(r->text, "ERR unknown command", strlen("ERR unknown command")) == 0;
}

/* What the reply to the command itself says. Rights are looked at before the server's state, so that LOADING and its
 * like mean that it is allowed. */
static enum allowed
by_reply(const struct reply *r)
{
    if (reply_has_code(r, "NOPERM"))
        return FORBIDDEN;
    return is_unknown_command(r) ? ABSENT : ALLOWED;
}

/* Is there such a command? Whether we may use it, only a server without users (before 6.0) says by that. */
static enum allowed
by_command_info(struct talk *t, const struct command *command, bool has_users)
{
    struct reply *r = ask(t, CLIENT_ARGS("COMMAND", "INFO", command->argv[0]));
    enum allowed result = NOT_KNOWN;

    if (r != NULL && r->type == REPLY_ARRAY && r->count == 1) {
        if (r->elements[0]->type == REPLY_NIL || (r->elements[0]->type == REPLY_ARRAY && r->elements[0]->count == 0))
            result = ABSENT;
        else if (!has_users)
            result = ALLOWED;
    }
    reply_free(r);
    return result;
}

/* Redis 7.0 and later, where the user may ask that: OK, or a text with the reason. */
static enum allowed
by_dry_run(struct talk *t, const struct command *command)
{
    const char *argv[3 + ARRAY_LEN(command->argv) + 1] = {"ACL", "DRYRUN", t->user};
    enum allowed result = NOT_KNOWN;
    bool has_users = true;
    struct reply *r;

    for (size_t i = 0; i < ARRAY_LEN(command->argv); i++)
        argv[3 + i] = command->argv[i];
    r = ask(t, argv);
    if (r == NULL)
        return NOT_KNOWN;
    if (r->type == REPLY_STATUS && strcmp(r->text, "OK") == 0)
        result = ALLOWED;
    else if (r->type == REPLY_STRING)
        result = FORBIDDEN;
    else if (r->type == REPLY_ERROR && strncmp(r->text, "ERR Command ", 12) == 0)
        result = ABSENT;
    has_users = !is_unknown_command(r);
    reply_free(r);
    return result != NOT_KNOWN ? result : by_command_info(t, command, has_users);
}

static void
tell_missing(struct talk *t, const struct command *command, enum need need, const char *why)
{
    char remedy[256];

    (void)snprintf(remedy, sizeof(remedy), "ACL SETUSER %s %s", t->user, command->rule);
    if (need == NEEDED)
        check_fail(t->check, command->row, ERR_SERVER_DENIED, remedy, "%s: a backup by %s needs it", why,
                   t->by_psync ? "psync" : "bgsave");
    else if (need == USEFUL)
        check_warn(t->check, command->row, remedy, "%s, so remora does not learn %s", why, command->without);
    else
        check_ok(t->check, command->row, "%s, and not needed", why);
}

/* What was found out about a command, as a row. */
static void
tell_command(struct talk *t, const struct command *command, enum allowed allowed)
{
    enum need need = t->by_psync ? command->psync : command->bgsave;
    char remedy[256];

    (void)snprintf(
        remedy, sizeof(remedy),
        "none, when the user's ACL rules have %s; add +acl|dryrun to have it looked at (Redis 7.0 and later)",
        command->rule);
    switch (allowed) {
    case ALLOWED:
        check_ok(t->check, command->row, "allowed");
        break;
    case FORBIDDEN:
        tell_missing(t, command, need, "the user may not");
        break;
    case ABSENT:
        tell_missing(t, command, need, "the server has no such command (renamed, disabled, or a managed service)");
        break;
    case NOT_KNOWN:
        if (need == NEEDLESS)
            check_ok(t->check, command->row, "not known, and not needed");
        else
            check_warn(t->check, command->row, remedy, "not known: the user may not ask what it may");
        break;
    }
}

static void
probe_commands(struct talk *t)
{
    for (size_t i = 0; i < ARRAY_LEN(commands) && t->client != NULL; i++) {
        const struct command *command = &commands[i];
        const char *argv[ARRAY_LEN(command->argv) + 1] = {NULL};
        struct reply *r = NULL;
        enum allowed allowed;

        memcpy(argv, command->argv, sizeof(command->argv));
        if (command->is_harmless) {
            r = ask(t, argv);
            if (r == NULL)
                return;
            allowed = by_reply(r);
        } else {
            allowed = by_dry_run(t, command);
        }
        tell_command(t, command, allowed);
        if (strcmp(command->argv[0], "INFO") == 0 && r != NULL && r->type == REPLY_STRING) {
            t->info = r;
            continue;
        }
        reply_free(r);
    }
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

/* The value of a setting; "" where it is not told. False when nothing may be asked. */
static bool
ask_setting(struct talk *t, const char *name, char *out, size_t size)
{
    struct reply *r = ask(t, CLIENT_ARGS("CONFIG", "GET", name));
    bool told = r != NULL && r->type == REPLY_ARRAY;

    out[0] = '\0';
    if (told)
        server_config_from_reply(name, r, &t->facts.config);
    if (told && r->count == 2 && r->elements[1]->type == REPLY_STRING)
        (void)snprintf(out, size, "%s", r->elements[1]->text);
    reply_free(r);
    return told;
}

static void
learn_settings(struct talk *t)
{
    const char *name;
    char unused[2];

    for (size_t i = 0; (name = server_config_name(i)) != NULL; i++) {
        if (!ask_setting(t, name, unused, sizeof(unused)))
            return;
    }
    if (ask_setting(t, "rdbchecksum", t->facts.rdbchecksum, sizeof(t->facts.rdbchecksum)))
        (void)ask_setting(t, "stop-writes-on-bgsave-error", t->facts.stop_writes, sizeof(t->facts.stop_writes));
}

/* ---- this machine's part ----------------------------------------------------------------------------------------- */

/* A server in another container of the same pod has the same kernel. */
static void
probe_kernel(struct talk *t)
{
    struct err unused = ERR_INIT;
    char *text = NULL;
    size_t len = 0;

    if (!endpoint_is_here(t->endpoint) ||
        file_read_all(AT_FDCWD, OVERCOMMIT_FILE, SMALL_FILE, &text, &len, &unused) < 0)
        return;
    check_judge_overcommit(t->check, text);
    free(text);
}

/* A Sentinel answers INFO too, but has no data. */
static bool
is_sentinel(const struct talk *t)
{
    char mode[16];

    if (!info_text(t->info->text, "redis_mode", mode, sizeof(mode)) || strcmp(mode, "sentinel") != 0)
        return false;
    check_fail(t->check, "version", ERR_USAGE, "give the address of a server with --redis-url",
               "%s is a Sentinel and holds no data", endpoint_describe(t->endpoint));
    return true;
}

void
check_server(struct check *c, const struct endpoint *endpoint, const char *data_dir,
             const struct guard_memory_options *memory)
{
    struct talk t = {.check = c, .endpoint = endpoint, .by_psync = data_dir == NULL};
    struct server_status status = {0};

    c->area = "server";
    if (probe_connection(&t)) {
        probe_commands(&t);
        learn_settings(&t);
    }
    if (t.info != NULL && !is_sentinel(&t)) {
        t.facts.info = t.info->text;
        t.facts.memory = memory;
        t.facts.by_psync = t.by_psync;
        check_judge_server(c, &t.facts);
        server_status_parse(t.info->text, &status);
    }
    probe_kernel(&t);
    if (data_dir != NULL)
        check_disk(c, data_dir, t.facts.config.dbfilename[0] != '\0' ? t.facts.config.dbfilename : "dump.rdb",
                   t.info != NULL ? &status : NULL);
    reply_free(t.info);
    client_free(t.client);
}
