/* SPDX-License-Identifier: Apache-2.0 */
/* live_peers.c: see live_peers.h. */
#include "snapshot/redis/live_peers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/info.h"

#define DEFAULT_LOADING_WAIT_MS    60000
#define DEFAULT_CONNECT_TIMEOUT_MS 5000
#define DEFAULT_REPLY_TIMEOUT_MS   10000
#define DEFAULT_POLL_MS            500

/* In the order of what is told first. */
enum peer_state {
    PEER_EMPTY,
    PEER_ABSENT, /* nobody listens there */
    PEER_FAILED,
    PEER_NOT_READY,
    PEER_DENIED,
    PEER_MISTAKEN, /* the question was wrong: ERR_USAGE */
    PEER_HOLDS_KEYS,
};

struct peer {
    struct endpoint endpoint;
    enum peer_state state;
    const char *why;  /* NOT_READY: "is still loading its data" */
    struct err error; /* FAILED, DENIED, MISTAKEN */
};

struct round {
    struct live_peers_options options; /* no zeros left */
    struct endpoint name;
    struct peer *peers;
    size_t count;
};

/* ---- one peer --------------------------------------------------------------------------------------------------- */

static void
is_not_ready(struct peer *p, const char *why)
{
    p->state = PEER_NOT_READY;
    p->why = why;
}

/* What WHY, a failure to ask, says about the peer. -1 with ERR where it says nothing about it, but about us. */
static int
judge_failure(struct peer *p, const struct err *why, struct err *err)
{
    switch (why->code) {
    case ERR_SERVER:
        if (p->state == PEER_NOT_READY)
            is_not_ready(p, "was loading, syncing or busy, and does not answer any more");
        else
            p->state = why->sys == ECONNREFUSED ? PEER_ABSENT : PEER_FAILED;
        break;
    case ERR_SERVER_DENIED:
        p->state = PEER_DENIED;
        break;
    case ERR_USAGE:
        p->state = PEER_MISTAKEN;
        break;
    default:
        *err = *why;
        return -1;
    }
    p->error = *why;
    return 0;
}

static int
refuse_for_keys(const struct peer *p, uint64_t keys, const struct server_status *status, struct err *err)
{
    char count[UNITS_TEXT_MAX];
    const char *address = endpoint_describe(&p->endpoint);

    return err_set(err, ERR_REFUSED,
                   "the %s %s holds %s key%s%s, which may be newer than any backup: %s, or back it up first with "
                   "`remora backup --redis-url %s`; --force restores in spite of it",
                   status->is_replica ? "replica" : "master", address, units_format_count(keys, count),
                   keys == 1 ? "" : "s", status->loading ? " so far, still loading" : "",
                   status->is_replica ? "promote it and let this server start empty as its replica"
                                      : "let this server start empty as its replica",
                   address);
}

/* What INFO's text says. A failure of ERR_REFUSED is a peer with keys. */
static int
judge_info(struct peer *p, const char *info, struct err *err)
{
    struct server_status status;
    char text[16];
    uint64_t keys = 0;

    if (info_text(info, "redis_mode", text, sizeof(text)) && strcmp(text, "sentinel") == 0)
        return err_set(err, ERR_USAGE, "%s is a Sentinel and holds no data: give the address of the servers",
                       endpoint_describe(&p->endpoint));
    if (!info_keys(info, &keys) || !info_text(info, "role", text, sizeof(text)))
        return err_set(err, ERR_SERVER, "INFO to %s: the answer does not say how many keys it holds, and as what",
                       endpoint_describe(&p->endpoint));
    server_status_parse(info, &status);
    /* Before all else: what a peer that loads has so far is not going to vanish, and what one that syncs still has may
     * be the last of it. */
    if (keys > 0)
        return refuse_for_keys(p, keys, &status, err);
    if (status.loading)
        is_not_ready(p, "is still loading its data");
    else if (status.syncing)
        is_not_ready(p, "is still taking the data of its master");
    else
        p->state = PEER_EMPTY;
    return 0;
}

static int
judge_reply(struct peer *p, const struct client *c, const struct reply *r, struct err *err)
{
    if (r->type == REPLY_STRING)
        return judge_info(p, r->text, err);
    if (reply_has_code(r, "LOADING"))
        is_not_ready(p, "is still loading its data");
    else if (reply_has_code(r, "BUSY"))
        is_not_ready(p, "is still busy with a script");
    else if (r->type == REPLY_ERROR)
        return client_refused(c, CLIENT_ARGS("INFO"), r, err);
    else
        return err_set(err, ERR_SERVER, "INFO to %s: the answer is not a text", endpoint_describe(&p->endpoint));
    return 0;
}

/* Ask P for its state. -1 with ERR_REFUSED when it holds keys, else for trouble of our own. */
static int
ask(const struct live_peers_options *o, struct peer *p, struct err *err)
{
    const struct client_options options = {
        .connect_timeout_ms = o->connect_timeout_ms,
        .reply_timeout_ms = o->reply_timeout_ms,
        .deadline_ms = clock_mono_ms() + o->connect_timeout_ms + o->reply_timeout_ms,
    };
    struct err why = ERR_INIT;
    struct reply *info = NULL;
    struct client *c;
    int rc = -1;

    errno = 0; /* a refusal by the peer before must not be found there, whatever fails now: it means "nobody" */
    c = client_connect(&p->endpoint, &options, &why);
    if (c != NULL && client_call(c, CLIENT_ARGS("INFO"), &info, &why) == 0)
        rc = judge_reply(p, c, info, &why);
    if (rc < 0)
        rc = judge_failure(p, &why, err);
    reply_free(info);
    client_free(c);
    log_debug("a live peer was asked", LOG_S("peer", endpoint_describe(&p->endpoint)), LOG_S("error", why.msg));
    return rc;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static void
set_default(int64_t *value, int64_t preset)
{
    if (*value <= 0)
        *value = preset;
}

static int
round_init(struct round *r, const char *host_port, const struct live_peers_options *options, struct err *err)
{
    struct live_peers_options *o = &r->options;

    memset(r, 0, sizeof(*r));
    if (options != NULL)
        *o = *options;
    set_default(&o->loading_wait_ms, DEFAULT_LOADING_WAIT_MS);
    set_default(&o->connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT_MS);
    set_default(&o->reply_timeout_ms, DEFAULT_REPLY_TIMEOUT_MS);
    set_default(&o->poll_ms, DEFAULT_POLL_MS);
    if (o->own == NULL)
        o->own = resolve_own;
    return endpoint_parse_host(host_port, &r->name, err);
}

static void
round_fini(struct round *r)
{
    for (size_t i = 0; i < r->count; i++)
        endpoint_fini(&r->peers[i].endpoint);
    free(r->peers);
    endpoint_fini(&r->name);
}

/* A peer for each address of the name that is not ours. */
static int
find_peers(struct round *r, struct err *err)
{
    struct addresses all = {0}, own = {0};
    int rc = -1;

    if (resolve_host(r->name.host, &r->options.names, &all, err) < 0 || r->options.own(&own, err) < 0)
        goto out;
    r->peers = mem_array(all.count, sizeof(*r->peers));
    for (size_t i = 0; i < all.count; i++) {
        struct endpoint *e = &r->peers[r->count].endpoint;

        if (addresses_have(&own, all.items[i]))
            continue;
        endpoint_init_like(e, r->options.like, all.items[i], r->name.port);
        if (e->tls && e->tls_files.server_name == NULL)
            e->tls_files.server_name = r->name.host;
        r->count++;
    }
    log_debug("live peers", LOG_S("name", r->name.host), LOG_U("addresses", all.count), LOG_U("others", r->count));
    rc = 0;
out:
    addresses_fini(&all);
    addresses_fini(&own);
    return rc;
}

/* The one to be told of, NULL without peers. */
static struct peer *
worst(struct round *r)
{
    struct peer *found = NULL;

    for (size_t i = 0; i < r->count; i++) {
        if (found == NULL || r->peers[i].state > found->state)
            found = &r->peers[i];
    }
    return found;
}

static struct peer *
first_not_ready(struct round *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->peers[i].state == PEER_NOT_READY)
            return &r->peers[i];
    }
    return NULL;
}

/* Ask those that load or sync again, until none does or the wait is over. Others that failed do not end it: one that
 * turns out to hold keys has more to tell. */
static int
wait_for_peers(struct round *r, struct err *err)
{
    int64_t until = clock_mono_ms() + r->options.loading_wait_ms;
    const struct peer *waiting = first_not_ready(r);

    if (waiting != NULL)
        log_info("waiting for a live peer", LOG_S("peer", endpoint_describe(&waiting->endpoint)),
                 LOG_S("because", waiting->why), LOG_I("at_most_ms", r->options.loading_wait_ms));
    while (first_not_ready(r) != NULL && clock_mono_ms() < until) {
        clock_sleep_ms(r->options.poll_ms);
        if (sig_check(err) < 0)
            return -1;
        for (size_t i = 0; i < r->count; i++) {
            if (r->peers[i].state == PEER_NOT_READY && ask(&r->options, &r->peers[i], err) < 0)
                return -1;
        }
    }
    return 0;
}

/* What all that was heard comes to. */
static int
conclude(struct round *r, struct err *err)
{
    const struct peer *p = worst(r);
    char wait[UNITS_TEXT_MAX];

    if (p == NULL || p->state <= PEER_ABSENT) {
        log_info("no live peer holds keys", LOG_S("name", r->name.host), LOG_U("asked", r->count));
        return 0;
    }
    if (p->state == PEER_NOT_READY)
        return err_set(err, ERR_REFUSED,
                       "%s %s (%s were waited), and may hold keys that are newer than any backup: try again when it "
                       "is ready; --force restores in spite of it",
                       endpoint_describe(&p->endpoint), p->why,
                       units_format_duration(r->options.loading_wait_ms, wait));
    *err = p->error;
    if (p->state != PEER_FAILED)
        return -1;
    return err_set(err, ERR_SERVER,
                   "%s; whether it holds keys is not known: try again when it answers; --force restores in spite of it",
                   p->error.msg);
}

int
live_peers_check(const char *host_port, const struct live_peers_options *options, struct err *err)
{
    struct round r;
    int rc = -1;

    if (round_init(&r, host_port, options, err) < 0)
        return err_wrap(err, "the live peers");
    if (find_peers(&r, err) < 0)
        goto out;
    for (size_t i = 0; i < r.count; i++) {
        if (ask(&r.options, &r.peers[i], err) < 0)
            goto out;
    }
    if (wait_for_peers(&r, err) == 0)
        rc = conclude(&r, err);
out:
    if (rc < 0)
        (void)err_wrap(err, "ask the live peers %s", host_port);
    round_fini(&r);
    return rc;
}
