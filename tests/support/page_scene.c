/* SPDX-License-Identifier: Apache-2.0 */
/* page_scene.c: see page_scene.h. */
#include "tests/support/page_scene.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define NOW       PAGE_SCENE_NOW_MS
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* What no attribute and no text of the page may take for markup. */
#define HOSTILE "</style></script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\x01\xff\xc0\xaf"

#define SET(field, text) set(field, sizeof(field), text)

/* What has no room is cut off. */
static void
set(char *field, size_t size, const char *text)
{
    size_t len = strlen(text) < size ? strlen(text) : size - 1;

    memcpy(field, text, len);
    field[len] = '\0';
}

struct catalog_entry *
page_scene_add(struct board *b, int64_t age_ms)
{
    struct catalog *c = b->catalog != NULL ? b->catalog : (b->catalog = mem_new(sizeof(*c)));
    struct catalog_entry *e;
    int64_t taken_ms = NOW - age_ms, days = age_ms / DAY_MS;
    uint64_t wave = (uint64_t)((taken_ms / HOUR_MS * 7919) % 97);
    struct tm tm;

    if ((c->count & (c->count - 1)) == 0) /* full: room doubles, from 1 on */
        c->entries = mem_grow(c->entries, c->count > 0 ? 2 * c->count : 1, sizeof(*e));
    e = &c->entries[c->count++];
    memset(e, 0, sizeof(*e));
    (void)gmtime_r(&(time_t){(time_t)(taken_ms / 1000)}, &tm);
    (void)strftime(e->id.text, sizeof(e->id.text), "%Y%m%dT%H%M%SZ", &tm);
    (void)snprintf(e->id.text + strlen(e->id.text), 8, "-%06x", (unsigned)(c->count * 2654435 & 0xffffff));
    e->taken_ms = e->snapshot_ms = taken_ms;
    e->keys = 8400000 - (uint64_t)(days > 90 ? 90 : days) * (uint64_t)(days > 12 ? 61000 : 34000) + wave * 1900;
    e->raw_size = e->keys * 156;
    e->stored_size = e->keys * (51 + wave / 24);
    SET(e->method, "psync");
    return e;
}

static void
verify(struct catalog_entry *e, int64_t at_ms, bool loaded)
{
    e->verified_ms = at_ms;
    SET(e->verified_level, loaded ? "load" : "digests");
    if (!loaded)
        return;
    e->loaded_ms = at_ms;
    SET(e->loaded_by, "valkey 8.1.4");
}

static void
lose(struct catalog_entry *e)
{
    e->state = CATALOG_DAMAGED;
    e->problem = mem_strdup("the manifest's digest does not match");
}

/* Two-hourly ones of two days, daily ones before, as prune leaves them; every third day one was verified. */
static void
add_history(struct board *b, int64_t newest_age_ms)
{
    for (int day = 34; day > 2; day--) {
        struct catalog_entry *e = page_scene_add(b, newest_age_ms + day * DAY_MS);

        if (day % 3 == 0)
            verify(e, e->snapshot_ms + HOUR_MS, day % 6 == 0);
        e->held = day == 20;
        if (day == 27)
            lose(e);
    }
    for (int i = 24; i >= 0; i--) {
        struct catalog_entry *e = page_scene_add(b, newest_age_ms + i * 2 * HOUR_MS);

        if (i % 6 == 1)
            verify(e, e->snapshot_ms + 20 * MINUTE_MS, i == 1);
    }
}

static struct job *
add_job(struct board *b, enum work kind, bool triggered, int64_t ended_ago_ms, int exit_status, const char *error)
{
    bool joined;
    int64_t took_ms = kind == WORK_BACKUP ? 41200 : kind == WORK_VERIFY ? 73000 : 1900;
    struct job *job = jobs_add(&b->jobs, kind, triggered, NOW - ended_ago_ms, NOW - ended_ago_ms - took_ms, &joined);

    job->started_ms = NOW - ended_ago_ms - took_ms;
    job_end(job, exit_status, error, NULL, NOW - ended_ago_ms);
    if (exit_status != 0)
        board_error_add(b, work_name(kind), exit_status, error, NOW - ended_ago_ms);
    return job;
}

static void
set_up_agent(struct board *b)
{
    struct board_kind *k = b->kinds;

    SET(b->version, REMORA_VERSION);
    SET(b->instance, "shop-cache");
    SET(b->repository, "s3://backups-eu/redis");
    SET(b->host, "shop-cache-1");
    SET(b->run_on, "replica");
    b->can_trigger = b->serving = true;
    b->started_ms = NOW - 9 * DAY_MS - 3 * HOUR_MS;
    b->expect_every_ms = 2 * HOUR_MS;
    SET(k[WORK_BACKUP].schedule, "0 */2 * * *");
    SET(k[WORK_VERIFY].schedule, "30 4 * * *");
    SET(k[WORK_PRUNE].schedule, "15 5 * * *");
    k[WORK_BACKUP].next_ms = NOW + 78 * MINUTE_MS;
    k[WORK_VERIFY].next_ms = NOW + 18 * HOUR_MS;
    k[WORK_PRUNE].next_ms = NOW + 19 * HOUR_MS;
    k[WORK_BACKUP].last_success_ms = NOW - 41 * MINUTE_MS;
    k[WORK_VERIFY].last_success_ms = NOW - 6 * HOUR_MS;
    k[WORK_PRUNE].last_success_ms = NOW - 5 * HOUR_MS;
    k[WORK_BACKUP].successes = 107;
    k[WORK_VERIFY].successes = k[WORK_PRUNE].successes = 9;
    k[WORK_BACKUP].failures[6] = 2;
}

static void
set_up_outside(struct board *b)
{
    b->server = b->store = REACH_UP;
    b->server_asked_ms = b->store_asked_ms = NOW - 8000;
    SET(b->server_address, "127.0.0.1:6379");
    SET(b->server_kind, "valkey");
    SET(b->server_version, "8.1.4");
    SET(b->server_role, "replica");
    b->server_keys = 8431207;
    b->server_memory = UINT64_C(2014) << 20;
    b->storage.calls[METER_PUT].calls = 18240;
    b->storage.calls[METER_PUT].failures = 31;
    b->storage.calls[METER_GET].calls = 9120;
    b->storage.bytes_put = UINT64_C(46) << 30;
    b->storage.bytes_got = UINT64_C(12) << 30;
}

static void
be_healthy(struct board *b)
{
    add_history(b, 41 * MINUTE_MS);
    (void)add_job(
        b, WORK_BACKUP, false, 52 * HOUR_MS, 6,
        "put instances/shop-cache/data/20261121T060001Z-3f1c22/rdb/00000017.zst to s3://backups-eu/redis: HTTP "
        "status 503 (SlowDown) five times in 40 s: the store asks for fewer requests; the next slot tries "
        "again, or lower --jobs");
    (void)add_job(b, WORK_BACKUP, false, 4 * HOUR_MS + 41 * MINUTE_MS, 0, "");
    (void)add_job(b, WORK_VERIFY, false, 6 * HOUR_MS, 0, "");
    (void)add_job(b, WORK_PRUNE, false, 5 * HOUR_MS, 0, "");
    SET(add_job(b, WORK_BACKUP, false, 2 * HOUR_MS + 41 * MINUTE_MS, 0, "")->backup_id, "20261123T080002Z-d03a8e");
    SET(add_job(b, WORK_BACKUP, false, 41 * MINUTE_MS, 0, "")->backup_id,
        b->catalog->entries[b->catalog->count - 1].id.text);
}

static void
be_late(struct board *b)
{
    add_history(b, 7 * HOUR_MS + 12 * MINUTE_MS);
}

static void
be_failing(struct board *b)
{
    static const char why[] = "save on 127.0.0.1:6379: the server answered MISCONF, its last save failed for want of "
                              "space: free or enlarge the volume of /data, then the next try works by itself";

    add_history(b, 4 * HOUR_MS + 41 * MINUTE_MS);
    for (int i = 5; i > 0; i--)
        (void)add_job(b, WORK_BACKUP, i == 2, i * 4 * MINUTE_MS, 10, why);
    b->kinds[WORK_BACKUP].failures[10] = 5;
    b->kinds[WORK_BACKUP].retries = 4;
}

static void
be_without_server(struct board *b)
{
    be_healthy(b);
    b->server = REACH_DOWN;
    SET(b->server_error, "connect to 127.0.0.1:6379: Connection refused: start the server, or correct --redis-url");
    board_error_add(b, "server", 8, b->server_error, NOW - 3 * MINUTE_MS);
}

static void
be_without_store(struct board *b)
{
    be_healthy(b);
    b->store = REACH_DENIED;
    SET(b->store_error,
        "get remora.json of s3://backups-eu/redis: HTTP status 403 (InvalidAccessKeyId): the access key "
        "is not known there; renew the secret that --s3-access-key-file reads");
    board_error_add(b, "repository", 7, b->store_error, NOW - 9 * MINUTE_MS);
}

static void
be_new(struct board *b)
{
    b->catalog = mem_new(sizeof(*b->catalog));
    memset(b->kinds[WORK_BACKUP].failures, 0, sizeof(b->kinds[WORK_BACKUP].failures));
    for (int i = 0; i < WORK_KINDS; i++)
        b->kinds[i].last_success_ms = 0, b->kinds[i].successes = 0;
}

static void
be_starting(struct board *b)
{
    b->started_ms = NOW - 4000;
    b->server = b->store = REACH_UNKNOWN;
    b->server_asked_ms = b->store_asked_ms = 0;
    b->server_kind[0] = b->server_role[0] = '\0';
    b->server_memory = 0;
    memset(&b->storage, 0, sizeof(b->storage));
}

static void
be_suspicious(struct board *b)
{
    struct catalog_entry *e;

    be_healthy(b);
    e = page_scene_add(b, 2 * MINUTE_MS);
    e->suspicious = true;
    e->keys = 1204;
    e->raw_size = 231044;
    e->stored_size = 80211;
}

static void
be_running(struct board *b)
{
    bool joined;
    struct job *job;

    be_healthy(b);
    job = jobs_add(&b->jobs, WORK_BACKUP, true, 0, NOW - 23000, &joined);
    job->state = JOB_RUNNING;
    job->started_ms = NOW - 22000;
    job->progress = (struct progress){.phase = PROGRESS_STORING,
                                      .done = UINT64_C(713031680),
                                      .total = UINT64_C(1315273000),
                                      .stored = UINT64_C(233031680)};
    (void)jobs_add(&b->jobs, WORK_VERIFY, false, NOW, NOW - 2000, &joined);
    (void)jobs_add(&b->jobs, WORK_PRUNE, false, NOW, NOW - 1000, &joined);
}

/* Every text that can come from outside is HOSTILE. */
static void
be_hostile(struct board *b)
{
    be_running(b);
    SET(b->instance, HOSTILE);
    SET(b->repository, HOSTILE);
    SET(b->host, HOSTILE);
    SET(b->version, HOSTILE);
    SET(b->run_on, HOSTILE);
    SET(b->server_address, HOSTILE);
    SET(b->server_kind, "<b>\"'&");
    SET(b->server_version, HOSTILE);
    SET(b->server_role, "<i>'\"&");
    SET(b->server_error, HOSTILE);
    SET(b->store_error, HOSTILE);
    b->server = REACH_DOWN;
    for (int i = 0; i < WORK_KINDS; i++)
        SET(b->kinds[i].schedule, HOSTILE);
    for (int i = 0; i < BOARD_ERRORS; i++)
        board_error_add(b, "<u>'\"&", 6, HOSTILE, NOW);
    for (size_t i = 0; i < b->catalog->count; i++)
        SET(b->catalog->entries[i].loaded_by, HOSTILE);
    (void)add_job(b, WORK_BACKUP, false, 0, 1, HOSTILE);
    (void)snprintf(b->jobs.jobs[0].backup_id, sizeof(b->jobs.jobs[0].backup_id), "<script>\"'&");
    b->jobs.jobs[0].state = JOB_SUCCEEDED;
}

/* A backup every ten minutes for five weeks, and every text as long as it can be. */
static void
be_crowded(struct board *b)
{
    for (int i = 5000; i > 0; i--) {
        struct catalog_entry *e = page_scene_add(b, i * 10 * MINUTE_MS);

        if (i % 9 == 0)
            verify(e, e->snapshot_ms + MINUTE_MS, i % 450 == 0);
        e->held = i % 1111 == 0;
        if (i % 1777 == 0)
            lose(e);
    }
    for (size_t i = 0; i < JOBS_KEPT + 5; i++) {
        char text[JOB_TEXT_MAX];

        memset(text, '<', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        (void)add_job(b, WORK_BACKUP, false, MINUTE_MS, 6, text);
    }
    memset(b->instance, 'n', sizeof(b->instance) - 1);
    memset(b->repository, 'r', sizeof(b->repository) - 1);
}

static void
be_stopping(struct board *b)
{
    be_healthy(b);
    b->stopping = true;
    b->serving = false;
}

static const struct {
    const char *name;
    void (*make)(struct board *b);
} scenes[] = {
    {"healthy", be_healthy},          {"late", be_late},
    {"failing", be_failing},          {"server-down", be_without_server},
    {"store-down", be_without_store}, {"never", be_new},
    {"starting", be_starting},        {"suspicious", be_suspicious},
    {"running", be_running},          {"stopping", be_stopping},
    {"crowded", be_crowded},          {"hostile", be_hostile},
};

const char *
page_scene_name(unsigned i)
{
    return i < ARRAY_LEN(scenes) ? scenes[i].name : NULL;
}

struct board *
page_scene_new(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
        if (strcmp(scenes[i].name, name) == 0) {
            struct board *b = mem_new(sizeof(*b));

            board_init(b, -1);
            set_up_agent(b);
            set_up_outside(b);
            scenes[i].make(b);
            return b;
        }
    return NULL;
}

void
page_scene_free(struct board *b)
{
    if (b == NULL)
        return;
    board_fini(b);
    free(b);
}
