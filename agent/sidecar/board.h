/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board.h: what the agent knows, in one place: the loop writes it, the threads of the HTTP side read it and leave
 * requests. What the page, the API and the metrics show is all from here; nothing there asks store or server.
 */
#ifndef AGENT_SIDECAR_BOARD_H
#define AGENT_SIDECAR_BOARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/sidecar/job.h"
#include "agent/sidecar/work.h"
#include "snapshot/repo/catalog.h"
#include "storage/store_meter.h"

#define BOARD_ERRORS 10
#define BOARD_EXITS  14 /* exit statuses */

/* Something that went wrong, for people. */
struct board_error {
    int64_t at_ms;
    char what[16]; /* "backup", "repository", "server"... */
    int exit_status;
    char text[JOB_TEXT_MAX]; /* says what to do */
};

/* What is known of something outside. */
enum board_reach { REACH_UNKNOWN, REACH_UP, REACH_DOWN, REACH_DENIED };

struct board_kind {
    char schedule[128];                       /* as it was given; "": none */
    int64_t next_ms;                          /* when the next slot is due; 0: never */
    int64_t last_attempt_ms, last_success_ms; /* of jobs of this agent; 0: none yet */
    int64_t last_duration_ms;
    uint64_t successes, failures[BOARD_EXITS]; /* by exit status, since the start */
    uint64_t retries;
};

struct board {
    pthread_mutex_t mutex; /* guards all below but the constants */

    /* Constant after the start. */
    char version[32], instance[129], repository[512], host[256], run_on[32];
    bool can_trigger; /* there is a token */
    int64_t started_ms;
    int64_t expect_every_ms; /* what the age of the last backup is judged by: the schedule's longest distance between
                                two slots; 0: unknown */

    bool serving; /* for /readyz */
    bool stopping;

    enum board_reach server, store;
    int64_t server_asked_ms, store_asked_ms;
    char server_address[300], server_kind[8], server_version[32], server_role[8];
    uint64_t server_keys, server_memory, server_cow, server_fork_us; /* as it last said */
    char server_error[JOB_TEXT_MAX], store_error[JOB_TEXT_MAX];

    struct catalog *catalog; /* of the instance, when last read; NULL: never */

    struct board_kind kinds[WORK_KINDS];
    struct jobs jobs;
    struct store_meter_counts storage;       /* summed over all jobs and the agent's own requests */
    struct board_error errors[BOARD_ERRORS]; /* the newest last */
    size_t error_count;

    int wake_fd; /* an eventfd: written to when the loop has to look */
};

/* FD stays the caller's. */
void board_init(struct board *b, int wake_fd);
void board_fini(struct board *b);

void board_lock(struct board *b);
void board_unlock(struct board *b);
void board_wake(struct board *b);

/* With the lock held. */
void board_error_add(struct board *b, const char *what, int exit_status, const char *text, int64_t now_ms);
void board_storage_add(struct board *b, const struct store_meter_counts *more);

/* The judgement at a glance: the worst that is so, a cause before what follows from it. */
enum board_health {
    HEALTH_GOOD,
    HEALTH_LATE,
    HEALTH_SUSPICIOUS, /* the last backup has far fewer keys than the one before, and nobody accepted that */
    HEALTH_FAILING,
    HEALTH_SERVER_DOWN,
    HEALTH_STORE_DOWN,
    HEALTH_NEVER,
    HEALTH_STARTING
};

/* The answers to what people come for, each in a sentence or two. */
struct board_verdict {
    enum board_health health;
    int64_t since_ms;                 /* since when it is so; 0: not known */
    char cause[JOB_TEXT_MAX + 200];   /* what is wrong; "": nothing is */
    char safety[200];                 /* how old what a restore would bring back is, and what comes next */
    char advice[BACKUP_ID_LEN + 400]; /* what to do, commands within backticks; "": nothing has to be done */
};

/* With the lock held. What has no room is cut off. */
void board_verdict(const struct board *b, int64_t now_ms, struct board_verdict *out);

/* The same in one text without the advice: SIZE of JOB_TEXT_MAX + 512 holds all of it. */
enum board_health board_judge(const struct board *b, int64_t now_ms, char *sentence, size_t size);
const char *board_health_name(enum board_health health); /* "good", "late", "server-down"... */

/* The age from which on the last backup is late: the expected distance and a quarter of it more, at least a minute and
 * at most an hour. 0: nothing is expected. */
int64_t board_late_after_ms(const struct board *b);

/* The newest backup that `latest` would take; NULL: none. With the lock held. */
const struct catalog_entry *board_latest(const struct board *b);

#endif
