/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_demo.c: the HTTP side of the agent with a filled board and jobs that do nothing but take their time: for tests of
 * what is served, for load, and to look at it with a browser. No server and no store are asked.
 *
 *   web_demo [--listen ADDRESS] [--token-file FILE] [--job-ms N] [--exit N]   prints its port; until SIGTERM
 *   web_demo --routes                                                         "METHOD PATH" lines: what is served
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/sidecar/web.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"

#define HOUR_MS   INT64_C(3600000)
#define BACKUPS   1000u
#define TICK_MS   20
#define RAW_BYTES (UINT64_C(1) << 30)

#define SET(field, text) (void)snprintf(field, sizeof(field), "%s", text)

struct demo {
    const char *listen, *token_file;
    int64_t job_ms;
    int exit_status; /* of every job */
    struct board board;
};

static int
print_routes(void)
{
    for (const struct web_route *r = sidecar_routes; r->method != NULL; r++)
        (void)printf("%s %s\n", r->method, r->path);
    return 0;
}

static struct catalog *
make_catalog(int64_t now_ms)
{
    struct catalog *c = mem_new(sizeof(*c));

    c->entries = mem_array(BACKUPS, sizeof(*c->entries));
    c->count = BACKUPS;
    for (unsigned i = 0; i < BACKUPS; i++) {
        struct catalog_entry *e = &c->entries[i];

        e->taken_ms = e->snapshot_ms = now_ms - HOUR_MS * (BACKUPS - i);
        backup_id_make(e->taken_ms, &e->id);
        if (i % 97 == 5) {
            e->state = CATALOG_DAMAGED;
            e->problem = mem_strdup("its manifest ends in the middle");
            continue;
        }
        SET(e->method, "psync");
        e->keys = 1000000 + 500 * i;
        e->raw_size = 150 * e->keys;
        e->stored_size = 60 * e->keys;
        e->suspicious = i % 101 == 7;
        e->held = i % 211 == 9;
        e->verified_ms = i % 24 == 0 ? e->taken_ms + HOUR_MS / 2 : 0;
        SET(e->verified_level, i % 24 == 0 ? "digests" : "");
    }
    return c;
}

static void
fill_board(struct board *b, bool can_trigger, int64_t now_ms)
{
    struct board_kind *k = &b->kinds[WORK_BACKUP];

    SET(b->version, REMORA_VERSION);
    SET(b->instance, "shop-cache");
    SET(b->repository, "s3://backups/redis");
    SET(b->host, "redis-0");
    SET(b->run_on, "any");
    SET(b->server_address, "127.0.0.1:6379");
    SET(b->server_kind, "redis");
    SET(b->server_version, "7.0.15");
    SET(b->server_role, "replica");
    SET(k->schedule, "17 * * * *");
    b->can_trigger = can_trigger;
    b->serving = true;
    b->started_ms = now_ms - 50 * HOUR_MS;
    b->expect_every_ms = HOUR_MS;
    b->server = b->store = REACH_UP;
    b->server_asked_ms = b->store_asked_ms = now_ms;
    b->server_keys = 1500000;
    b->server_memory = UINT64_C(400) << 20;
    k->next_ms = now_ms + HOUR_MS / 2;
    k->last_attempt_ms = k->last_success_ms = now_ms - HOUR_MS / 2;
    k->last_duration_ms = 12345;
    k->successes = 49;
    k->failures[6] = 2;
    k->retries = 3;
    b->catalog = make_catalog(now_ms);
    board_error_add(b, "backup", 6,
                    "put s3://backups/redis/x: the store answered 503; it is overloaded, remora tries again",
                    now_ms - 9 * HOUR_MS);
}

/* With the lock held: what the agent's loop would do. */
static void
step(struct demo *d, int64_t now_ms)
{
    struct job *job = jobs_running(&d->board.jobs, WORK_BACKUP);
    struct backup_id id;
    int64_t took_ms;

    if (job == NULL) {
        job = jobs_next(&d->board.jobs);
        if (job == NULL)
            return;
        job->state = JOB_RUNNING;
        job->started_ms = now_ms;
    }
    took_ms = now_ms - job->started_ms;
    job->progress = (struct progress){.phase = PROGRESS_STORING, .total = RAW_BYTES};
    job->progress.done = (uint64_t)((double)RAW_BYTES * (double)took_ms / (double)(d->job_ms + 1));
    job->progress.stored = job->progress.done / 3;
    if (took_ms < d->job_ms)
        return;
    backup_id_make(now_ms, &id);
    job_end(job, d->exit_status, "the demo was told to fail; start it without --exit",
            d->exit_status == 0 ? json_pack("{s:s}", "id", id.text) : NULL, now_ms);
}

static int
run(struct demo *d)
{
    struct err err = ERR_INIT;
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct web *web;

    board_init(&d->board, wake_fd);
    fill_board(&d->board, d->token_file != NULL, clock_wall_ms());
    web = web_start(d->listen, d->token_file, sidecar_routes, &d->board, &err);
    if (web == NULL) {
        (void)fprintf(stderr, "web_demo: %s\n", err.msg);
    } else {
        (void)printf("%u\n", web_port(web));
        (void)fflush(stdout);
        while (!sig_pending()) {
            board_lock(&d->board);
            step(d, clock_wall_ms());
            board_unlock(&d->board);
            clock_sleep_ms(TICK_MS);
        }
        web_stop(web);
    }
    board_fini(&d->board);
    (void)close(wake_fd);
    return web != NULL ? 0 : err_exit_status(err.code);
}

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'}, {"token-file", required_argument, NULL, 't'},
        {"job-ms", required_argument, NULL, 'j'}, {"exit", required_argument, NULL, 'e'},
        {"routes", no_argument, NULL, 'r'},       {NULL, 0, NULL, 0},
    };
    struct demo d = {.listen = "127.0.0.1:0", .job_ms = 1000};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            d.listen = optarg;
            break;
        case 't':
            d.token_file = optarg;
            break;
        case 'j':
            d.job_ms = strtoll(optarg, NULL, 10);
            break;
        case 'e':
            d.exit_status = (int)strtol(optarg, NULL, 10);
            break;
        case 'r':
            return print_routes();
        default:
            return 2;
        }
    }
    sig_install();
    return run(&d);
}
