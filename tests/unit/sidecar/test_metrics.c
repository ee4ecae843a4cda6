/* SPDX-License-Identifier: Apache-2.0 */
/* The board as Prometheus reads it, and docs/METRICS.md against what is really there. */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/sidecar/board.h"
#include "agent/sidecar/figures.h"
#include "agent/sidecar/web.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#define MINUTE_MS INT64_C(60000)

struct scene {
    struct board board;
    struct web_answer answer;
};

static int
set_up(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    board_init(&s->board, -1);
    (void)snprintf(s->board.version, sizeof(s->board.version), "0.1.0");
    (void)snprintf(s->board.instance, sizeof(s->board.instance), "shop");
    s->board.started_ms = 1795325921123;
    buf_init(&s->answer.body, FIGURES_TEXT_MAX);
    *state = s;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *s = *state;

    buf_fini(&s->answer.body);
    board_fini(&s->board);
    free(s);
    return 0;
}

static const char *
get(struct scene *s)
{
    const struct web_request request = {.board = &s->board, .path = "/metrics", .rest = ""};

    buf_reset(&s->answer.body);
    web_metrics(&request, &s->answer);
    assert_int_equal(s->answer.status, 200);
    assert_string_equal(s->answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
    return s->answer.body.data;
}

static void
has(const char *text, const char *line)
{
    char with_ends[512];

    (void)snprintf(with_ends, sizeof(with_ends), "\n%s\n", line);
    if (strstr(text, with_ends) == NULL)
        fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void
lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("\"%s\" is in:\n%s", part, text);
}

static struct catalog_entry *
add_backup(struct board *b, int64_t snapshot_ms)
{
    struct catalog_entry *e;

    if (b->catalog == NULL)
        b->catalog = mem_new(sizeof(*b->catalog));
    b->catalog->entries = mem_grow(b->catalog->entries, b->catalog->count + 1, sizeof(*e));
    e = &b->catalog->entries[b->catalog->count++];
    memset(e, 0, sizeof(*e));
    backup_id_make(snapshot_ms, &e->id);
    e->snapshot_ms = snapshot_ms;
    e->raw_size = 1020;
    e->stored_size = 307;
    e->keys = 42;
    return e;
}

/* Everything is known and has happened. */
static void
fill(struct board *b)
{
    const int64_t now_ms = clock_wall_ms();
    bool joined;
    struct catalog_entry *e;

    b->expect_every_ms = 60 * MINUTE_MS;
    b->server = b->store = REACH_UP;
    (void)snprintf(b->server_kind, sizeof(b->server_kind), "valkey");
    (void)snprintf(b->server_version, sizeof(b->server_version), "8.1.0");
    (void)snprintf(b->server_role, sizeof(b->server_role), "replica");
    b->server_keys = 77;
    b->server_memory = 7700;
    b->server_cow = 4096;
    b->server_fork_us = 1234;
    e = add_backup(b, now_ms - 20 * MINUTE_MS);
    e->verified_ms = 1795325000000;
    e = add_backup(b, now_ms - 10 * MINUTE_MS);
    e->verified_ms = 1795324000000;
    add_backup(b, now_ms - 5 * MINUTE_MS)->suspicious = true;
    e = add_backup(b, now_ms - 4 * MINUTE_MS);
    e->state = CATALOG_DAMAGED;
    for (int i = 0; i < WORK_KINDS; i++) {
        struct board_kind *k = &b->kinds[i];

        (void)snprintf(k->schedule, sizeof(k->schedule), "@hourly");
        k->next_ms = 1795329521000;
        k->last_attempt_ms = 1795325921000;
        k->last_success_ms = 1795322321500;
        k->last_duration_ms = 12345;
        k->successes = 5;
        k->retries = 2;
    }
    b->kinds[WORK_BACKUP].failures[6] = 3;
    b->kinds[WORK_VERIFY].failures[5] = 1;
    jobs_add(&b->jobs, WORK_BACKUP, true, 0, now_ms, &joined)->state = JOB_RUNNING;
    (void)jobs_add(&b->jobs, WORK_PRUNE, false, now_ms, now_ms, &joined);
    b->storage.calls[METER_PUT].calls = 6;
    b->storage.calls[METER_PUT].failures = 1;
    b->storage.calls[METER_PUT].total_ms = 31500;
    b->storage.calls[METER_PUT].buckets[0] = 2;
    b->storage.calls[METER_PUT].buckets[2] = 3;
    b->storage.calls[METER_PUT].buckets[METER_BUCKETS] = 1;
    b->storage.bytes_put = 1000000;
    b->storage.bytes_got = 2000000;
    b->storage.retries = 4;
}

static void
metrics__full_board__every_figure_is_there(void **state)
{
    struct scene *s = *state;
    const char *text;

    fill(&s->board);
    text = get(s);
    has(text, "remora_build_info{remora_instance=\"shop\",version=\"0.1.0\"} 1");
    has(text, "remora_start_time_seconds{remora_instance=\"shop\"} 1795325921.123");
    has(text, "remora_job_last_attempt_timestamp_seconds{remora_instance=\"shop\",kind=\"backup\"} 1795325921.000");
    has(text, "remora_job_last_success_timestamp_seconds{remora_instance=\"shop\",kind=\"prune\"} 1795322321.500");
    has(text, "remora_job_last_duration_seconds{remora_instance=\"shop\",kind=\"backup\"} 12.345");
    has(text, "remora_job_successes_total{remora_instance=\"shop\",kind=\"verify\"} 5");
    has(text, "remora_job_failures_total{remora_instance=\"shop\",kind=\"backup\",exit=\"storage\"} 3");
    has(text, "remora_job_failures_total{remora_instance=\"shop\",kind=\"verify\",exit=\"corrupt\"} 1");
    has(text, "remora_job_failures_total{remora_instance=\"shop\",kind=\"backup\",exit=\"server-denied\"} 0");
    has(text, "remora_job_retries_total{remora_instance=\"shop\",kind=\"backup\"} 2");
    has(text, "remora_jobs_running{remora_instance=\"shop\",kind=\"backup\"} 1");
    has(text, "remora_jobs_running{remora_instance=\"shop\",kind=\"prune\"} 0");
    has(text, "remora_jobs_queued{remora_instance=\"shop\",kind=\"prune\"} 1");
    has(text, "remora_job_next_timestamp_seconds{remora_instance=\"shop\",kind=\"backup\"} 1795329521.000");
    has(text, "remora_backup_expected_interval_seconds{remora_instance=\"shop\"} 3600.000");
    has(text, "remora_backups{remora_instance=\"shop\",state=\"good\"} 2");
    has(text, "remora_backups{remora_instance=\"shop\",state=\"suspicious\"} 1");
    has(text, "remora_backups{remora_instance=\"shop\",state=\"damaged\"} 1");
    has(text, "remora_latest_backup_raw_bytes{remora_instance=\"shop\"} 1020");
    has(text, "remora_latest_backup_stored_bytes{remora_instance=\"shop\"} 307");
    has(text, "remora_latest_backup_keys{remora_instance=\"shop\"} 42");
    has(text, "remora_last_verified_timestamp_seconds{remora_instance=\"shop\"} 1795325000.000");
    has(text, "remora_storage_up{remora_instance=\"shop\"} 1");
    has(text, "remora_storage_failures_total{remora_instance=\"shop\",operation=\"put\"} 1");
    has(text, "remora_storage_retries_total{remora_instance=\"shop\"} 4");
    has(text, "remora_storage_sent_bytes_total{remora_instance=\"shop\"} 1000000");
    has(text, "remora_storage_received_bytes_total{remora_instance=\"shop\"} 2000000");
    has(text, "remora_server_up{remora_instance=\"shop\"} 1");
    has(text, "remora_server_info{remora_instance=\"shop\",product=\"valkey\",version=\"8.1.0\"} 1");
    has(text, "remora_server_role{remora_instance=\"shop\",role=\"master\"} 0");
    has(text, "remora_server_role{remora_instance=\"shop\",role=\"replica\"} 1");
    has(text, "remora_server_keys{remora_instance=\"shop\"} 77");
    has(text, "remora_server_memory_bytes{remora_instance=\"shop\"} 7700");
    has(text, "remora_server_last_cow_bytes{remora_instance=\"shop\"} 4096");
    has(text, "remora_server_last_fork_seconds{remora_instance=\"shop\"} 0.001234");
}

#define DURATION "remora_storage_request_duration_seconds"
#define PUT      "{remora_instance=\"shop\",operation=\"put\""

static void
metrics__histogram__is_cumulative(void **state)
{
    struct scene *s = *state;
    const char *text;

    fill(&s->board);
    text = get(s);
    has(text, DURATION "_bucket" PUT ",le=\"0.005\"} 2");
    has(text, DURATION "_bucket" PUT ",le=\"0.01\"} 2");
    has(text, DURATION "_bucket" PUT ",le=\"0.025\"} 5");
    has(text, DURATION "_bucket" PUT ",le=\"1\"} 5");
    has(text, DURATION "_bucket" PUT ",le=\"30\"} 5");
    has(text, DURATION "_bucket" PUT ",le=\"+Inf\"} 6");
    has(text, DURATION "_sum" PUT "} 31.500");
    has(text, DURATION "_count" PUT "} 6");
}

static void
metrics__age__is_that_of_the_latest_good_backup(void **state)
{
    struct scene *s = *state;
    const char *line;
    double age;

    fill(&s->board);
    line = strstr(get(s), "\nremora_recovery_point_age_seconds{");
    assert_non_null(line);
    age = strtod(strchr(line, ' ') + 1, NULL);
    assert_true(age >= 600 && age < 660);
}

/* A clock that was put back: no age below nothing. */
static void
metrics__backup_of_the_future__is_of_age_0(void **state)
{
    struct scene *s = *state;

    add_backup(&s->board, clock_wall_ms() + 60 * MINUTE_MS);
    has(get(s), "remora_recovery_point_age_seconds{remora_instance=\"shop\"} 0.000");
}

static void
metrics__new_board__says_only_what_is_known(void **state)
{
    static const char *const unknown[] = {"timestamp",
                                          "remora_backups",
                                          "latest_backup",
                                          "recovery_point",
                                          "_up",
                                          "server",
                                          "verified",
                                          "kind=\"verify\"",
                                          "duration_seconds{remora_instance=\"shop\",kind",
                                          "expected_interval"};
    struct scene *s = *state;
    const char *text = get(s);

    for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
        if (strcmp(unknown[i], "server") == 0) /* a class of exits is named so */
            lacks(text, "remora_server");
        else
            lacks(text, unknown[i]);
    }
    has(text, "remora_job_successes_total{remora_instance=\"shop\",kind=\"backup\"} 0");
    has(text, "remora_job_failures_total{remora_instance=\"shop\",kind=\"backup\",exit=\"interrupted\"} 0");
    has(text, "remora_storage_request_duration_seconds_count{remora_instance=\"shop\",operation=\"get\"} 0");
}

static void
metrics__first_job_still_running__has_no_duration(void **state)
{
    struct scene *s = *state;
    const char *text;
    bool joined;

    s->board.kinds[WORK_VERIFY].last_attempt_ms = 1795325921000;
    jobs_add(&s->board.jobs, WORK_VERIFY, false, 1, 1, &joined)->state = JOB_RUNNING;
    text = get(s);
    has(text, "remora_jobs_running{remora_instance=\"shop\",kind=\"verify\"} 1");
    has(text, "remora_job_last_attempt_timestamp_seconds{remora_instance=\"shop\",kind=\"verify\"} 1795325921.000");
    lacks(text, "remora_job_last_duration_seconds");
    s->board.kinds[WORK_VERIFY].failures[12] = 1;
    has(get(s), "remora_job_last_duration_seconds{remora_instance=\"shop\",kind=\"verify\"} 0.000");
}

static void
metrics__empty_repository__counts_no_backups(void **state)
{
    struct scene *s = *state;
    const char *text;

    s->board.catalog = mem_new(sizeof(*s->board.catalog));
    text = get(s);
    has(text, "remora_backups{remora_instance=\"shop\",state=\"good\"} 0");
    lacks(text, "latest_backup");
    lacks(text, "recovery_point");
}

static void
metrics__server_and_store_away__their_old_figures_are_not_shown(void **state)
{
    static const enum board_reach away[] = {REACH_DOWN, REACH_DENIED};
    struct scene *s = *state;

    fill(&s->board);
    for (size_t i = 0; i < ARRAY_LEN(away); i++) {
        const char *text;

        s->board.server = s->board.store = away[i];
        text = get(s);
        has(text, "remora_server_up{remora_instance=\"shop\"} 0");
        has(text, "remora_storage_up{remora_instance=\"shop\"} 0");
        lacks(text, "remora_server_role");
        lacks(text, "remora_server_keys");
        has(text, "remora_latest_backup_keys{remora_instance=\"shop\"} 42"); /* still what is there */
    }
}

/* Whatever the board holds of addresses and errors, no label and no line has it. */
static void
metrics__secrets_and_addresses__are_in_no_line(void **state)
{
    struct scene *s = *state;
    struct board *b = &s->board;

    fill(b);
    (void)snprintf(b->repository, sizeof(b->repository), "s3://user:hunter2@bucket");
    (void)snprintf(b->server_address, sizeof(b->server_address), "hunter2.example:6379");
    (void)snprintf(b->server_error, sizeof(b->server_error), "hunter2");
    (void)snprintf(b->store_error, sizeof(b->store_error), "hunter2");
    (void)snprintf(b->host, sizeof(b->host), "hunter2");
    board_error_add(b, "backup", 6, "hunter2", 1);
    lacks(get(s), "hunter2");
}

static void
metrics__no_room__is_500(void **state)
{
    struct scene *s = *state;
    const struct web_request request = {.board = &s->board, .path = "/metrics", .rest = ""};
    struct web_answer answer = {0};

    buf_init(&answer.body, 200);
    web_metrics(&request, &answer);
    assert_int_equal(answer.status, 500);
    buf_fini(&answer.body);
}

static void
metrics__longest_names__fit(void **state)
{
    struct scene *s = *state;

    fill(&s->board);
    memset(s->board.instance, 'x', sizeof(s->board.instance) - 1);
    memset((void *)&s->board.storage, 0x7f, sizeof(s->board.storage));
    assert_true(strlen(get(s)) < FIGURES_TEXT_MAX / 2);
}

/* An account that may not ask for INFO, but for ROLE: no figure is made up, and none is 0. */
static void
metrics__server_tells_its_role_alone__nothing_else_is_shown(void **state)
{
    struct scene *s = *state;
    struct board *b = &s->board;
    const char *text;

    fill(b);
    b->server_kind[0] = b->server_version[0] = '\0';
    b->server_keys = b->server_memory = b->server_cow = b->server_fork_us = 0;
    text = get(s);
    has(text, "remora_server_up{remora_instance=\"shop\"} 1");
    has(text, "remora_server_role{remora_instance=\"shop\",role=\"replica\"} 1");
    lacks(text, "remora_server_info");
    lacks(text, "remora_server_keys");
    lacks(text, "remora_server_memory_bytes");
    lacks(text, "remora_server_last_");
}

static void
metrics__server_does_not_tell_its_role__it_is_not_called_a_replica(void **state)
{
    struct scene *s = *state;

    fill(&s->board);
    s->board.server_role[0] = '\0';
    lacks(get(s), "remora_server_role");
    has(get(s), "remora_server_keys{remora_instance=\"shop\"} 77");
}

/* `promtool check metrics` of Debian's package prometheus takes TEXT and has nothing to say. */
static void
check_with_promtool(const char *text)
{
    char dir[256], path[300], command[800], said[4096] = "";
    struct err err = ERR_INIT;
    FILE *out;
    int fd, status;

    test_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/metrics", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(file_write_all(fd, text, strlen(text), &err), &err);
    assert_int_equal(close(fd), 0);
    (void)snprintf(command, sizeof(command), "promtool check metrics < '%s' 2>&1", path);
    out = popen(command, "re"); /* NOLINT(cert-env33-c): a fixed command */
    assert_non_null(out);
    (void)!fread(said, 1, sizeof(said) - 1, out);
    status = pclose(out);
    test_remove_dir(dir);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || *said != '\0')
        fail_msg("promtool (Debian: prometheus) ended with %d: %s", status, said);
}

static void
metrics__every_board__promtool_has_no_complaint(void **state)
{
    struct scene *s = *state;

    check_with_promtool(get(s));
    fill(&s->board);
    check_with_promtool(get(s));
    (void)snprintf(s->board.server_version, sizeof(s->board.server_version), "8\"\\\n{}\xe9\x01\x7f");
    check_with_promtool(get(s));
}

/* ---- docs/METRICS.md ---- */

struct row {
    char name[80], type[16], labels[80], file[8], meaning[200];
};

static const char *
next_line(const char *p)
{
    p = strchr(p, '\n');
    return p != NULL ? p + 1 : NULL;
}

/* The table's rows; returns how many. */
static size_t
read_rows(struct row *rows, size_t max)
{
    const char *tests = getenv("REMORA_TESTS");
    struct err err = ERR_INIT;
    char path[512], *text = NULL;
    size_t len, n = 0;

    (void)snprintf(path, sizeof(path), "%s/../docs/METRICS.md", tests != NULL ? tests : "tests");
    assert_ok(file_read_all(AT_FDCWD, path, 1 << 20, &text, &len, &err), &err);
    for (const char *p = text; p != NULL; p = next_line(p)) {
        struct row r = {{0}, {0}, {0}, {0}, {0}};

        if (strncmp(p, "| `remora_", 10) != 0)
            continue;
        assert_int_equal(
            sscanf(p, "| `%79[^`]` | %15[^ |] |%79[^|]|%7[^|]| %199[^|]|", r.name, r.type, r.labels, r.file, r.meaning),
            5);
        r.meaning[strlen(r.meaning) - 1] = '\0'; /* the space in front of the bar */
        assert_true(n < max);
        rows[n++] = r;
    }
    free(text);
    return n;
}

/* Is there a sample of the family NAME in TEXT, and has its first one LABEL? */
static bool
is_rendered(const char *text, const char *name, const char *label)
{
    char begin[100], wanted[40];
    const char *line, *found, *end;

    (void)snprintf(begin, sizeof(begin), "\n# TYPE %s ", name);
    line = strstr(text, begin);
    if (line == NULL)
        return false;
    line = next_line(line + 1);
    end = strchr(line, '\n');
    assert_int_equal(strncmp(line, name, strlen(name)), 0);
    if (label == NULL)
        return true;
    (void)snprintf(wanted, sizeof(wanted), "%s=\"", label);
    found = strstr(line, wanted);
    return found != NULL && found < end && (found[-1] == '{' || found[-1] == ',');
}

static void
docs__table__is_what_a_full_board_renders(void **state)
{
    static const char *const labels[] = {"version", "kind", "exit", "state", "operation", "product", "role"};
    struct scene *s = *state;
    struct row rows[64];
    size_t n = read_rows(rows, ARRAY_LEN(rows));
    const char *text;

    fill(&s->board);
    text = get(s);
    for (size_t i = 0; i < n; i++) {
        const struct exposition_family *f = &figures_families[i];

        assert_non_null(f->name); /* as many as there are, in their order */
        assert_string_equal(rows[i].name, f->name);
        assert_string_equal(rows[i].type, exposition_type_name(f->type));
        assert_string_equal(rows[i].meaning, f->help);
        if (!is_rendered(text, f->name, NULL))
            fail_msg("%s is in the table and not rendered", f->name);
        for (size_t k = 0; k < ARRAY_LEN(labels); k++) {
            char quoted[32];

            (void)snprintf(quoted, sizeof(quoted), "`%s`", labels[k]);
            if (is_rendered(text, f->name, labels[k]) != (strstr(rows[i].labels, quoted) != NULL))
                fail_msg("%s: the label %s", f->name, labels[k]);
        }
        assert_true(is_rendered(text, f->name, "remora_instance"));
    }
    assert_null(figures_families[n].name);
    for (const char *p = strstr(text, "# TYPE "); p != NULL; p = strstr(p + 1, "# TYPE ")) {
        size_t len = strcspn(p + 7, " "), i = 0;

        while (i < n && (strlen(rows[i].name) != len || strncmp(rows[i].name, p + 7, len) != 0))
            i++;
        if (i == n)
            fail_msg("rendered and not in the table: %.*s", (int)len, p + 7);
    }
}

/* What a run knows when all of it has happened. */
static struct figures
full_run(void)
{
    struct figures f = {.of_run = true, .run = WORK_VERIFY, .now_ms = 1795325921123};

    (void)snprintf(f.version, sizeof(f.version), "0.1.0");
    (void)snprintf(f.instance, sizeof(f.instance), "shop");
    f.kinds[WORK_VERIFY].shown = true;
    f.kinds[WORK_VERIFY].last_attempt_ms = f.kinds[WORK_VERIFY].last_success_ms = 1795325900000;
    f.kinds[WORK_VERIFY].last_duration_ms = 4711;
    f.kinds[WORK_VERIFY].successes = 8;
    for (int i = 1; i < BOARD_EXITS; i++)
        f.kinds[WORK_VERIFY].failures[i] = (uint64_t)i;
    f.latest = (struct figures_latest){.snapshot_ms = 1795325000001, .raw_size = 1, .stored_size = 2, .keys = 3};
    f.verified_ms = 1795325900001;
    for (uint64_t call = 0; call < METER_CALLS; call++) {
        for (uint64_t i = 0; i <= METER_BUCKETS; i++) {
            f.storage.calls[call].buckets[i] = 10 * call + i;
            f.storage.calls[call].calls += 10 * call + i;
        }
        f.storage.calls[call].failures = call;
        f.storage.calls[call].total_ms = 1000 + call;
    }
    f.storage.bytes_put = 1234567890123;
    f.storage.bytes_got = 5;
    f.storage.retries = 6;
    return f;
}

static const char *
render_run(struct scene *s, const struct figures *f)
{
    struct err err = ERR_INIT;

    buf_reset(&s->answer.body);
    assert_ok(figures_render(f, &s->answer.body, &err), &err);
    return s->answer.body.data;
}

static void
docs__column_file__is_what_a_run_renders(void **state)
{
    struct scene *s = *state;
    const struct figures f = full_run();
    const char *text = render_run(s, &f);
    struct row rows[64];
    size_t n = read_rows(rows, ARRAY_LEN(rows));

    for (size_t i = 0; i < n; i++) {
        if (is_rendered(text, rows[i].name, NULL) != (strstr(rows[i].file, "yes") != NULL))
            fail_msg("%s: the column says \"%s\"", rows[i].name, rows[i].file);
        if (strstr(rows[i].file, "yes") != NULL)
            assert_true(is_rendered(text, rows[i].name, "kind"));
    }
    check_with_promtool(text);
}

/* ---- reading back ---- */

static struct figures
asking(void)
{
    struct figures f = {.of_run = true, .run = WORK_VERIFY, .now_ms = 1795325921123};

    (void)snprintf(f.instance, sizeof(f.instance), "shop");
    return f;
}

static void
read__a_file_of_ours__all_that_lasts_comes_back(void **state)
{
    struct scene *s = *state;
    const struct figures was = full_run();
    struct figures f = asking();
    const struct figures_kind *k = &f.kinds[WORK_VERIFY];

    figures_read(&f, render_run(s, &was));
    assert_int_equal(k->last_success_ms, was.kinds[WORK_VERIFY].last_success_ms);
    assert_int_equal(k->successes, 8);
    assert_memory_equal(k->failures, was.kinds[WORK_VERIFY].failures, sizeof(k->failures));
    assert_memory_equal(&f.latest, &was.latest, sizeof(f.latest));
    assert_int_equal(f.verified_ms, was.verified_ms);
    assert_memory_equal(&f.storage, &was.storage, sizeof(f.storage));
    assert_int_equal(k->last_attempt_ms, 0); /* of this run, which comes */
}

static void
read__another_instance_or_kind__is_not_believed(void **state)
{
    struct scene *s = *state;
    const struct figures was = full_run();
    const struct store_meter_counts nothing = {0};
    struct figures f = asking();

    (void)snprintf(f.instance, sizeof(f.instance), "shop2");
    figures_read(&f, render_run(s, &was));
    assert_int_equal(f.kinds[WORK_VERIFY].last_success_ms, 0);
    assert_memory_equal(&f.storage, &nothing, sizeof(nothing));
    f = asking();
    f.run = WORK_PRUNE;
    figures_read(&f, s->answer.body.data);
    assert_int_equal(f.kinds[WORK_PRUNE].last_success_ms, 0);
    assert_int_equal(f.kinds[WORK_PRUNE].failures[6], 0);
    assert_memory_equal(&f.storage, &nothing, sizeof(nothing));
}

static void
read__times_to_come_and_falling_histograms__are_not_believed(void **state)
{
    struct scene *s = *state;
    struct figures was = full_run(), f = asking();
    char *bucket;

    was.kinds[WORK_VERIFY].last_success_ms = was.now_ms + 25 * 60 * MINUTE_MS;
    was.verified_ms = was.now_ms + 23 * 60 * MINUTE_MS; /* clocks differ */
    (void)render_run(s, &was);
    bucket = strstr(s->answer.body.data, "operation=\"put\",le=\"30\"} 45");
    assert_non_null(bucket);
    strchr(bucket, ' ')[1] = '1'; /* 15: fewer than are below 5 s */
    figures_read(&f, s->answer.body.data);
    assert_int_equal(f.kinds[WORK_VERIFY].last_success_ms, 0);
    assert_int_equal(f.verified_ms, was.verified_ms);
    assert_int_equal(f.storage.calls[METER_PUT].calls, 0);
    assert_int_equal(f.storage.calls[METER_GET].calls, was.storage.calls[METER_GET].calls);
}

static void
read__every_cut_of_a_file__is_survived(void **state)
{
    struct scene *s = *state;
    const struct figures was = full_run();
    char *text = mem_strdup(render_run(s, &was));

    for (size_t len = strlen(text); len > 0; len -= len > 97 ? 97 : len) {
        struct figures f = asking();

        text[len] = '\0';
        figures_read(&f, text);
        assert_true(f.kinds[WORK_VERIFY].successes == 0 || f.kinds[WORK_VERIFY].successes == 8);
        assert_true(f.storage.bytes_put == 0 || f.storage.bytes_put == was.storage.bytes_put);
    }
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metrics__full_board__every_figure_is_there),
        TEST(metrics__histogram__is_cumulative),
        TEST(metrics__age__is_that_of_the_latest_good_backup),
        TEST(metrics__backup_of_the_future__is_of_age_0),
        TEST(metrics__new_board__says_only_what_is_known),
        TEST(metrics__first_job_still_running__has_no_duration),
        TEST(metrics__empty_repository__counts_no_backups),
        TEST(metrics__server_and_store_away__their_old_figures_are_not_shown),
        TEST(metrics__secrets_and_addresses__are_in_no_line),
        TEST(metrics__no_room__is_500),
        TEST(metrics__longest_names__fit),
        TEST(metrics__server_tells_its_role_alone__nothing_else_is_shown),
        TEST(metrics__server_does_not_tell_its_role__it_is_not_called_a_replica),
        TEST(metrics__every_board__promtool_has_no_complaint),
        TEST(docs__table__is_what_a_full_board_renders),
        TEST(docs__column_file__is_what_a_run_renders),
        TEST(read__a_file_of_ours__all_that_lasts_comes_back),
        TEST(read__another_instance_or_kind__is_not_believed),
        TEST(read__times_to_come_and_falling_histograms__are_not_believed),
        TEST(read__every_cut_of_a_file__is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
