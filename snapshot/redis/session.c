/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: see session.h. */
#include "snapshot/redis/session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sig.h"

#define RECONNECT_PAUSE_MS 200
/* A saving child holds the server's connections open: when the server alone is killed, ours falls silent instead of
 * being closed (Redis 7.0; the listening sockets the child does close). So an old connection is soon given up for a new
 * one, which is refused by a dead server and waits in the queue of one that is busy. */
#define QUIET_MS 2000

/* ---- facts ------------------------------------------------------------------------------------------------------ */

/* The host the server runs on: the endpoint's, or this one where the endpoint only says "here". */
static void
set_host(const struct endpoint *e, struct server_facts *facts)
{
    if (!endpoint_is_here(e)) {
        (void)snprintf(facts->host, sizeof(facts->host), "%s", e->host);
        return;
    }
    if (gethostname(facts->host, sizeof(facts->host) - 1) < 0)
        facts->host[0] = '\0';
}

/* One command whose refusal is no failure: *OUT is NULL then. */
static int
ask_politely(struct session *s, const char *const *argv, struct reply **out, struct err *err)
{
    struct err why = ERR_INIT;

    if (client_command(s->client, argv, out, &why) == 0)
        return 0;
    *out = NULL;
    if (why.code == ERR_SERVER_DENIED) {
        log_debug("the server does not say", LOG_S("command", argv[0]), LOG_S("why", why.msg));
        return 0;
    }
    *err = why;
    return -1;
}

static int
learn_config(struct session *s, struct server_facts *facts, struct err *err)
{
    const char *name;

    for (size_t i = 0; (name = server_config_name(i)) != NULL; i++) {
        struct reply *r = NULL;

        /* One at a time: servers before 7.0 take one name only. */
        if (ask_politely(s, CLIENT_ARGS("CONFIG", "GET", name), &r, err) < 0)
            return -1;
        if (r == NULL)
            return 0;
        server_config_from_reply(name, r, &facts->config);
        reply_free(r);
    }
    facts->config_known = true;
    return 0;
}

/* INFO: its text; NULL where it is denied. */
static int
learn_facts(struct session *s, const char *info, struct server_facts *facts, struct err *err)
{
    struct reply *role = NULL;
    char mode[16];

    if (info != NULL && info_text(info, "redis_mode", mode, sizeof(mode)) && strcmp(mode, "sentinel") == 0)
        return err_set(err, ERR_USAGE, "%s is a Sentinel and holds no data: give the address of a server",
                       endpoint_describe(s->endpoint));
    if (info != NULL)
        server_facts_from_info(info, facts);
    facts->known = true;
    (void)snprintf(facts->address, sizeof(facts->address), "%s", endpoint_describe(s->endpoint));
    set_host(s->endpoint, facts);
    if (ask_politely(s, CLIENT_ARGS("ROLE"), &role, err) < 0)
        return -1;
    if (role != NULL)
        (void)server_facts_from_role(role, facts);
    reply_free(role);
    return learn_config(s, facts, err);
}

/* ---- INFO ------------------------------------------------------------------------------------------------------- */

static int
connect_now(struct session *s, struct err *err)
{
    client_free(s->client);
    s->client = client_connect(s->endpoint, &s->options, err);
    return s->client != NULL ? 0 : -1;
}

/* INFO's text in *OUT, or an error reply that means a busy server. The plain form, since only 7.0 and later take more
 * than one section at a time. */
static int
ask_info(struct session *s, struct reply **out, struct err *err)
{
    const char *const *argv = CLIENT_ARGS("INFO");

    if (client_call(s->client, argv, out, err) < 0)
        return -1;
    if ((*out)->type == REPLY_STRING || reply_has_code(*out, "BUSY"))
        return 0;
    if ((*out)->type == REPLY_ERROR)
        (void)client_refused(s->client, argv, *out, err);
    else
        (void)err_set(err, ERR_SERVER, "INFO to %s: the answer is not a text", endpoint_describe(s->endpoint));
    reply_free(*out);
    *out = NULL;
    return -1;
}

static bool
is_past_deadline(const struct session *s)
{
    return s->options.deadline_ms > 0 && clock_mono_ms() >= s->options.deadline_ms;
}

/* INFO, connecting again as often as it takes. */
static int
ask_info_stubbornly(struct session *s, struct reply **out, struct err *err)
{
    int64_t lost_at = 0;

    if (s->client != NULL)
        client_set_reply_timeout(s->client, QUIET_MS);
    for (;;) {
        struct err why = ERR_INIT;

        if ((s->client != NULL || connect_now(s, &why) == 0) && ask_info(s, out, &why) == 0)
            return 0;
        if (s->client != NULL && client_is_lost(s->client)) {
            client_free(s->client);
            s->client = NULL;
        }
        if (lost_at == 0)
            lost_at = clock_mono_ms();
        if (why.code != ERR_SERVER || s->client != NULL || is_past_deadline(s) ||
            clock_mono_ms() - lost_at >= s->reconnect_ms) {
            *err = why;
            return -1;
        }
        log_debug("the connection to the server was lost; trying again", LOG_S("why", why.msg));
        clock_sleep_ms(RECONNECT_PAUSE_MS);
        if (sig_check(err) < 0)
            return -1;
    }
}

enum session_answer
session_status(struct session *s, struct server_status *out, struct err *err)
{
    struct reply *r = NULL;

    if (ask_info_stubbornly(s, &r, err) < 0)
        return SESSION_FAILED;
    if (r->type == REPLY_ERROR) {
        reply_free(r);
        return SESSION_NO_ANSWER;
    }
    server_status_parse(r->text, out);
    reply_free(r);
    if (strcmp(out->run_id, s->run_id) == 0)
        return SESSION_TOLD;
    (void)err_set(
        err, ERR_SERVER,
        "the server at %s was restarted meanwhile, or another one answers there now: look at its log, and back "
        "up again",
        endpoint_describe(s->endpoint));
    return SESSION_FAILED;
}

int
session_open(struct session *s, const struct endpoint *e, const struct client_options *options, int64_t reconnect_ms,
             struct server_facts *facts, struct err *err)
{
    struct reply *info = NULL;
    int rc = -1;

    memset(s, 0, sizeof(*s));
    memset(facts, 0, sizeof(*facts));
    s->endpoint = e;
    s->options = *options;
    s->reconnect_ms = reconnect_ms;
    if (connect_now(s, err) < 0 || ask_info(s, &info, err) < 0)
        goto out;
    if (info->type == REPLY_ERROR) {
        (void)client_refused(s->client, CLIENT_ARGS("INFO"), info, err);
        goto out;
    }
    (void)info_text(info->text, "run_id", s->run_id, sizeof(s->run_id));
    rc = learn_facts(s, info->text, facts, err);
out:
    reply_free(info);
    if (rc < 0)
        session_fini(s);
    return rc;
}

int
session_learn_facts(const struct endpoint *e, struct client *c, struct server_facts *facts,
                    struct server_memory *memory, struct err *err)
{
    struct session s = {.endpoint = e, .client = c};
    struct reply *info = NULL;
    const char *text = NULL;
    int rc = -1;

    memset(facts, 0, sizeof(*facts));
    if (ask_politely(&s, CLIENT_ARGS("INFO"), &info, err) == 0) {
        text = info != NULL && info->type == REPLY_STRING ? info->text : NULL;
        rc = learn_facts(&s, text, facts, err);
    }
    if (memory != NULL)
        server_memory_parse(text != NULL ? text : "", memory);
    reply_free(info);
    return rc;
}

int
session_call(struct session *s, const char *const *argv, struct reply **out, bool *lost, struct err *err)
{
    int rc;

    REQUIRE(s->client != NULL);
    client_set_reply_timeout(s->client, s->options.reply_timeout_ms);
    rc = client_call(s->client, argv, out, err);
    *lost = client_is_lost(s->client) && err->code == ERR_SERVER;
    if (client_is_lost(s->client)) {
        client_free(s->client);
        s->client = NULL;
    }
    return rc;
}

void
session_fini(struct session *s)
{
    client_free(s->client);
    s->client = NULL;
}
