/* SPDX-License-Identifier: Apache-2.0 */
/* agent_asks.c: what the agent asks of the server and the store, when, and where the answers go: see parts.h. */
#include <stdio.h>
#include <string.h>

#include "agent/open_store.h"
#include "agent/sidecar/parts.h"
#include "base/clock.h"
#include "base/log.h"

#define SERVER_EVERY_MS 10000
#define SERVER_AGAIN_MS 3000 /* while it is away, so that its return is soon seen */
#define STORE_EVERY_MS  60000
#define STORE_AGAIN_MS  15000
#define SLOT_AGAIN_MS   15000
#define SLOT_DOUBLINGS  6 /* to 16 minutes: nobody waits for it but the log's readers */
/* A catalogue costs five listings, and a get for what is new in it: it is read often enough that what others do is seen
 * well before it would count as late, and not more often. */
#define CATALOG_EVERY_MS  60000
#define CATALOG_SELDOM_MS ((int64_t)5 * 60000)
#define CATALOG_SHARE     12 /* of the time in which a backup is expected */

static enum board_reach
reach_of(const struct err *err)
{
    if (err->code == ERR_NONE)
        return REACH_UP;
    return err->code == ERR_STORE_DENIED || err->code == ERR_SERVER_DENIED ? REACH_DENIED : REACH_DOWN;
}

/* Note how something outside is: into *REACH and TEXT; a change is logged, one for the worse is an error to show. With
 * the lock held. */
static void
note_reach(struct board *b, const char *what, const struct err *err, enum board_reach *reach, char *text)
{
    enum board_reach now = reach_of(err);
    bool changed = now != *reach;

    *reach = now;
    (void)snprintf(text, JOB_TEXT_MAX, "%s", now == REACH_UP ? "" : err->msg);
    if (!changed)
        return;
    if (now == REACH_UP) {
        log_info(reach == &b->server ? "the server answers" : "the repository answers", LOG_NONE);
    } else {
        log_warn("it cannot be used for now, and is asked again", LOG_S("what", what), LOG_S("why", err->msg));
        board_error_add(b, what, err_exit_status(err->code), err->msg, clock_wall_ms());
    }
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void
take_server(struct agent *a, const struct answer *n, int64_t now_ms)
{
    struct board *b = &a->board;

    board_lock(b);
    note_reach(b, "server", &n->err, &b->server, b->server_error);
    b->server_asked_ms = clock_wall_ms();
    (void)snprintf(b->server_address, sizeof(b->server_address), "%s", n->server.address);
    if (b->server == REACH_UP) {
        (void)snprintf(b->server_kind, sizeof(b->server_kind), "%s", n->server.kind);
        (void)snprintf(b->server_version, sizeof(b->server_version), "%s", n->server.version);
        if (strcmp(b->server_role, n->server.role) != 0)
            log_info("the server has a role", LOG_S("role", n->server.role), LOG_S("before", b->server_role));
        (void)snprintf(b->server_role, sizeof(b->server_role), "%s", n->server.role);
        b->server_keys = n->keys;
        b->server_memory = n->memory;
        b->server_cow = n->cow;
        b->server_fork_us = n->fork_us;
        a->server_seen = true;
    }
    a->ask_server_ms = now_ms + (b->server == REACH_UP ? SERVER_EVERY_MS : SERVER_AGAIN_MS);
    board_unlock(b);
}

/* The store answered, or did not, whatever it was asked. */
static void
take_store(struct agent *a, const struct answer *n, int64_t now_ms)
{
    struct board *b = &a->board;

    if (n->question.kind == ASK_CATALOG)
        a->catalog_failed = n->err.code != ERR_NONE;
    board_lock(b);
    /* What failed for the catalogue is not mended by a smaller question that is answered. */
    if (n->err.code != ERR_NONE || !a->catalog_failed)
        note_reach(b, "repository", &n->err, &b->store, b->store_error);
    b->store_asked_ms = clock_wall_ms();
    b->storage = open_store_counts();
    board_storage_add(b, &a->job_storage);
    a->ask_store_ms = now_ms + (b->store == REACH_UP ? STORE_EVERY_MS : STORE_AGAIN_MS);
    board_unlock(b);
}

static void
take_catalog(struct agent *a, const struct answer *n, int64_t now_ms)
{
    struct catalog *before;
    int64_t every_ms = a->orders.expect_every_ms, pause_ms = CATALOG_SELDOM_MS;

    if (n->catalog == NULL) {
        a->ask_catalog_ms = now_ms + STORE_AGAIN_MS;
        return;
    }
    if (every_ms > 0 && every_ms / CATALOG_SHARE < pause_ms)
        pause_ms = every_ms / CATALOG_SHARE > CATALOG_EVERY_MS ? every_ms / CATALOG_SHARE : CATALOG_EVERY_MS;
    a->ask_catalog_ms = now_ms + pause_ms;
    board_lock(&a->board);
    before = a->board.catalog;
    a->board.catalog = n->catalog;
    board_unlock(&a->board);
    catalog_free(before);
}

static void
take_slot(struct agent *a, const struct answer *n)
{
    const struct question *q = &n->question;
    struct planner *p = &a->planners[q->work];
    const char *kind = work_name(q->work);

    if (q->kind == ASK_DONE) {
        if (n->err.code == ERR_NONE && a->undone[q->work] == q->slot_ms)
            a->undone[q->work] = 0;
        else if (n->err.code != ERR_NONE)
            log_warn("a slot could not be marked as done", LOG_S("work", kind), LOG_S("why", n->err.msg));
        return;
    }
    if (q->kind == ASK_KEEP) {
        if (n->err.code == ERR_NONE && n->outcome != SLOT_OURS)
            log_warn("another agent took over the slot of the job that runs here", LOG_S("work", kind));
        return;
    }
    if (n->err.code != ERR_NONE) {
        log_warn("a slot could not be claimed", LOG_S("work", kind), LOG_S("why", n->err.msg));
        planner_claim_failed(p, clock_wall_ms());
        return;
    }
    log_debug("asked for a slot", LOG_S("work", kind), LOG_I("slot_ms", q->slot_ms), LOG_I("outcome", n->outcome));
    planner_claimed(p, n->outcome == SLOT_OURS, n->outcome == SLOT_DONE, n->again_in_ms, clock_wall_ms());
    if (n->outcome != SLOT_OURS)
        a->ask_catalog_ms = 0; /* there is or will be a backup of another agent */
}

static void
take_answers(struct agent *a, int64_t now_ms)
{
    static struct answer n; /* large; one loop in a process */

    while (asker_take(a->asker, &n) || asker_take(a->reader, &n)) {
        if (n.question.kind == ASK_SERVER)
            take_server(a, &n, now_ms);
        else
            take_store(a, &n, now_ms);
        if (n.question.kind == ASK_CATALOG)
            take_catalog(a, &n, now_ms);
        else if (n.question.kind >= ASK_TAKE)
            take_slot(a, &n);
    }
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

static void
ask_if_due(struct agent *a, enum question_kind kind, int64_t due_ms, int64_t now_ms)
{
    struct asker *asker = kind == ASK_CATALOG ? a->reader : a->asker;

    if (asker_is_busy(asker, kind))
        return;
    if (now_ms >= due_ms)
        (void)asker_ask(asker, &(struct question){.kind = kind, .known = a->board.catalog});
    else
        agent_wake_at(a, due_ms);
}

/* Keep the slots of the job that runs and of those that wait for its end: nobody is to follow. */
static void
keep_slots(struct agent *a, int64_t now_ms)
{
    for (int kind = 0; kind < WORK_KINDS; kind++) {
        int64_t slot_ms = planner_held_slot(&a->planners[kind]), *due_ms = &a->keep_ms[kind];

        if (slot_ms != 0 && *due_ms != 0 && now_ms >= *due_ms)
            (void)asker_ask(a->asker,
                            &(struct question){.kind = ASK_KEEP, .work = (enum work)kind, .slot_ms = slot_ms});
        if (slot_ms == 0)
            *due_ms = 0;
        else if (now_ms >= *due_ms)
            *due_ms = now_ms + a->config->stall_timeout_ms / 3;
        if (*due_ms != 0)
            agent_wake_at(a, *due_ms);
    }
}

/* Mark the slots whose work was done: nobody needs to follow. */
static void
mark_slots(struct agent *a, int64_t now_ms)
{
    if (!agent_asks_has_undone(a))
        return;
    if (now_ms >= a->mark_ms) {
        for (int kind = 0; kind < WORK_KINDS; kind++)
            if (a->undone[kind] != 0)
                (void)asker_ask(a->asker, &(struct question){
                                              .kind = ASK_DONE, .work = (enum work)kind, .slot_ms = a->undone[kind]});
        a->mark_ms = now_ms + (SLOT_AGAIN_MS << (a->marks_tried < SLOT_DOUBLINGS ? a->marks_tried++ : SLOT_DOUBLINGS));
    }
    agent_wake_at(a, a->mark_ms);
}

void
agent_asks_refresh(struct agent *a)
{
    a->ask_server_ms = a->ask_store_ms = a->ask_catalog_ms = 0;
}

void
agent_asks_done(struct agent *a, enum work kind, int64_t slot_ms)
{
    a->undone[kind] = slot_ms;
    agent_asks_mark(a);
}

void
agent_asks_mark(struct agent *a)
{
    a->mark_ms = 0;
    a->marks_tried = 0;
}

bool
agent_asks_has_undone(const struct agent *a)
{
    for (int kind = 0; kind < WORK_KINDS; kind++)
        if (a->undone[kind] != 0)
            return true;
    return false;
}

void
agent_asks_step(struct agent *a, int64_t now_ms)
{
    take_answers(a, now_ms);
    keep_slots(a, now_ms);
    mark_slots(a, now_ms);
    if (a->stop_ms != 0)
        return;
    if (a->orders.has_server)
        ask_if_due(a, ASK_SERVER, a->ask_server_ms, now_ms);
    ask_if_due(a, ASK_CATALOG, a->ask_catalog_ms, now_ms);
    ask_if_due(a, ASK_STORE, a->ask_store_ms, now_ms);
}
