/* SPDX-License-Identifier: Apache-2.0 */
/* agent.c: the loop: what wakes it, how it begins and how it ends. See agent.h and parts.h. */
#include "agent/sidecar/agent.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/sidecar/parts.h"
#include "agent/sidecar/termination.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"

#define LOOK_EVERY_MS   30000 /* at the wall clock, which may jump */
#define ASKER_END_MS    2000
#define DONE_RESERVE_MS 1000 /* of the grace: marking a slot as done may not take the last of it */

void
agent_wake_at(struct agent *a, int64_t at_ms)
{
    a->wake_at_ms = at_ms < a->wake_at_ms ? at_ms : a->wake_at_ms;
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

static void
describe(struct agent *a)
{
    const struct config *c = a->config;
    struct board *b = &a->board;
    const char *user = strncmp(c->repo, "s3://", 5) == 0 ? strstr(c->repo, "://") : NULL;
    const char *at = user != NULL ? strrchr(c->repo, '@') : NULL; /* in a folder's name it is a letter */

    (void)snprintf(b->version, sizeof(b->version), "%s", REMORA_VERSION);
    (void)snprintf(b->instance, sizeof(b->instance), "%s", c->instance);
    if (at != NULL) /* a user part has no business there, and may be a secret */
        (void)snprintf(b->repository, sizeof(b->repository), "%.*s%s", (int)(user + 3 - c->repo), c->repo, at + 1);
    else
        (void)snprintf(b->repository, sizeof(b->repository), "%s", c->repo);
    (void)snprintf(b->run_on, sizeof(b->run_on), "%s", c->run_on);
    if (gethostname(b->host, sizeof(b->host) - 1) < 0)
        (void)snprintf(b->host, sizeof(b->host), "?");
    b->can_trigger = c->token_file != NULL;
    b->started_ms = clock_wall_ms();
    b->expect_every_ms = a->orders.expect_every_ms;
    for (int kind = 0; kind < WORK_KINDS; kind++)
        (void)snprintf(b->kinds[kind].schedule, sizeof(b->kinds[kind].schedule), "%s",
                       a->orders.works[kind].text != NULL ? a->orders.works[kind].text : "");
}

static void
start_planners(struct agent *a)
{
    for (int kind = 0; kind < WORK_KINDS; kind++)
        planner_init(&a->planners[kind], a->orders.works[kind].text != NULL ? &a->orders.works[kind].schedule : NULL,
                     a->orders.works[kind].offset_ms);
}

static int
begin(struct agent *a, struct err *err)
{
    /* One arena: memory that a thread gave back is there for the other. */
    (void)mallopt(M_ARENA_MAX, 1);
    a->wake_fd = a->signal_fd = -1;
    if (orders_from(a->config, &a->orders, err) < 0)
        return -1;
    a->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (a->wake_fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "make a descriptor to be woken by");
    board_init(&a->board, a->wake_fd);
    describe(a);
    start_planners(a);
    a->signal_fd = sig_watch(err);
    if (a->signal_fd < 0)
        return -1;
    a->asker = asker_start(a->config, a->board.host, a->wake_fd, err);
    a->reader = a->asker != NULL ? asker_start(a->config, a->board.host, a->wake_fd, err) : NULL;
    if (a->reader == NULL)
        return -1;
    a->web = web_start(a->config->listen, a->config->token_file, sidecar_routes, &a->board, err);
    if (a->web == NULL)
        return -1;
    board_lock(&a->board);
    a->board.serving = true;
    board_unlock(&a->board);
    return 0;
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

static void
begin_to_stop(struct agent *a, int64_t now_ms)
{
    char grace[UNITS_TEXT_MAX];
    const char *running = a->run.child != NULL ? work_name(a->run.kind) : "";

    a->stop_ms = now_ms;
    agent_asks_mark(a);
    board_lock(&a->board);
    a->board.stopping = true;
    board_unlock(&a->board);
    log_info("asked to end", LOG_S("running", running),
             LOG_S("grace", units_format_duration(a->config->grace_ms, grace)));
    (void)snprintf(a->last_words, sizeof(a->last_words), "The agent was asked to end; %s%s.",
                   *running != '\0' ? "a job was running then: " : "no job was running", running);
}

static bool
is_over(const struct agent *a, int64_t now_ms)
{
    if (a->stop_ms == 0 || a->run.child != NULL)
        return false;
    return !agent_asks_has_undone(a) || now_ms - a->stop_ms > a->config->grace_ms - DONE_RESERVE_MS;
}

static void
end(struct agent *a)
{
    bool asked;

    child_free(a->run.child);
    a->run.child = NULL;
    web_stop(a->web);
    sig_stop();
    asked = asker_stop(a->asker, ASKER_END_MS);
    if (!asker_stop(a->reader, ASKER_END_MS) || !asked) {
        log_warn("a question to the store or the server hangs; ending without its answer", LOG_NONE);
        _exit(0); /* the thread uses what would be freed now */
    }
    if (a->wake_fd >= 0) {
        board_fini(&a->board);
        (void)close(a->wake_fd);
    }
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static void
step(struct agent *a, int64_t now_ms)
{
    a->wake_at_ms = now_ms + LOOK_EVERY_MS;
    if (sig_stops() > 0 && a->stop_ms == 0)
        begin_to_stop(a, now_ms);
    if (sig_take_hangup()) {
        log_info("SIGHUP: asking for everything anew, with the credentials as they are now", LOG_NONE);
        agent_asks_refresh(a);
    }
    agent_asks_step(a, now_ms);
    agent_jobs_step(a, now_ms);
    agent_asks_step(a, now_ms); /* what a job that ended made due */
}

static void
wait_for_something(const struct agent *a)
{
    struct pollfd fds[] = {{.fd = a->signal_fd, .events = POLLIN},
                           {.fd = a->wake_fd, .events = POLLIN},
                           {.fd = a->run.child != NULL ? child_fd(a->run.child) : -1, .events = POLLIN}};
    int64_t left_ms = a->wake_at_ms - clock_mono_ms();
    uint64_t count;

    (void)poll(fds, ARRAY_LEN(fds), left_ms <= 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms);
    (void)!read(a->signal_fd, &count, sizeof(count));
    (void)!read(a->wake_fd, &count, sizeof(count));
}

int
agent_run(const struct config *config, struct err *err)
{
    struct agent *a = mem_new(sizeof(*a));
    int rc;

    a->config = config;
    rc = begin(a, err);
    if (rc == 0) {
        log_info("agent started", LOG_S("instance", config->instance), LOG_S("repository", a->board.repository),
                 LOG_S("run_on", config->run_on), LOG_U("port", web_port(a->web)));
        for (;;) {
            int64_t now_ms = clock_mono_ms();

            step(a, now_ms);
            if (is_over(a, now_ms))
                break;
            wait_for_something(a);
        }
        log_info("agent ended", LOG_S("instance", config->instance));
    }
    termination_log(TERMINATION_LOG, rc == 0 ? a->last_words : err->msg);
    end(a);
    free(a);
    return rc;
}
