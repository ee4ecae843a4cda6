/* SPDX-License-Identifier: Apache-2.0 */
/* The source `bgsave` against a server that does, at the right moment, what real ones do rarely. */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "snapshot/redis/source_bgsave.h"
#include "tests/support/fake_redis.h"

#define FULL "4611686018427387904" /* bytes that no volume has */

/* A server as far as a save shows it. The upper half is what a test wants of it, the lower half its state, which only
 * the fake's thread touches until it is stopped. */
struct scene {
    const char *role, *dbfilename;
    const char *used_memory, *used_memory_later; /* later: once a save began */
    const char *extra_info;                      /* more lines */
    const char *info_error, *config_error, *role_error;
    const char *refusals[4];  /* of BGSAVE, before one is accepted */
    const char *busy_line;    /* INFO says so... */
    unsigned busy_for;        /* ...so many times */
    unsigned save_for;        /* so many times INFO says that the save is running */
    unsigned script_busy_for; /* so many times INFO is refused with BUSY during the save */
    unsigned saves_step;      /* what one BGSAVE adds to rdb_saves */
    bool is_old;              /* 6.0: no rdb_saves, no server_time_usec */
    bool save_fails, keeps_old_dump, gives_up, restarts, dies, hangs_up_in_save, hangs_up_on_bgsave;

    char dir[256];
    unsigned infos, bgsaves, schedules;
    unsigned refused, saving_for;
    uint64_t saves;
    int64_t last_save_s;
    bool saving, failed, restarted;
};

static void
put_file(const struct scene *s, const char *name, const char *text)
{
    char path[400], temp[400];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    (void)snprintf(temp, sizeof(temp), "%s/.new", s->dir);
    f = fopen(temp, "we");
    if (f == NULL)
        abort();
    (void)fputs(text, f);
    (void)fclose(f);
    if (rename(temp, path) < 0)
        abort();
}

static void
end_save(struct scene *s)
{
    s->saving = false;
    s->failed = s->save_fails;
    if (s->failed || s->gives_up)
        return;
    s->last_save_s = clock_wall_ms() / 1000;
    if (!s->keeps_old_dump)
        put_file(s, "dump.rdb", "REDIS0010 the new dump");
}

static void
answer_info(struct scene *s, struct fake_answer *a)
{
    char text[4096], version[128] = "";
    bool busy = s->infos++ < s->busy_for && s->busy_line != NULL;

    if (s->info_error != NULL) {
        fake_answer_raw(a, s->info_error);
        return;
    }
    if (s->saving && s->script_busy_for > 0) {
        s->script_busy_for--;
        fake_answer_raw(a, "-BUSY Redis is busy running a script. You can only call SCRIPT KILL.\r\n");
        return;
    }
    if (s->saving && s->saving_for-- == 0)
        end_save(s);
    if (!s->is_old)
        (void)snprintf(version, sizeof(version), "server_time_usec:%" PRId64 "\r\nrdb_saves:%" PRIu64 "\r\n",
                       clock_wall_ms() * 1000, s->saves);
    (void)snprintf(text, sizeof(text),
                   "%s# Server\r\nredis_version:%s\r\nrun_id:%s\r\n%sused_memory:%s\r\nloading:0\r\n"
                   "rdb_bgsave_in_progress:%d\r\nrdb_last_save_time:%" PRId64 "\r\nrdb_last_bgsave_status:%s\r\n"
                   "current_save_keys_processed:%d\r\ncurrent_save_keys_total:20\r\nrole:%s\r\n%s\r\n",
                   busy ? s->busy_line : "", s->is_old ? "6.0.16" : "7.0.15", s->restarted ? "bbbb" : "aaaa", version,
                   s->bgsaves > 0 && s->used_memory_later != NULL ? s->used_memory_later : s->used_memory, s->saving,
                   s->last_save_s, s->failed ? "err" : "ok", s->saving ? 10 : 0, s->role,
                   s->extra_info != NULL ? s->extra_info : "");
    fake_answer_bulk(a, text);
    if (!s->saving)
        return;
    a->hang_up = s->hangs_up_in_save;
    s->hangs_up_in_save = false;
    a->hang_up_long = s->dies;
    s->restarted = s->restarts;
}

static void
answer_bgsave(struct scene *s, const struct reply *command, struct fake_answer *a)
{
    s->bgsaves++;
    s->schedules += command->count > 1;
    if (s->refused < ARRAY_LEN(s->refusals) && s->refusals[s->refused] != NULL) {
        fake_answer_raw(a, s->refusals[s->refused++]);
        return;
    }
    s->saving = true;
    s->saving_for = s->save_for;
    s->saves += s->saves_step;
    fake_answer_raw(a, "+Background saving started\r\n");
    if (s->hangs_up_on_bgsave) {
        fake_answer_raw(a, "");
        a->hang_up = true;
        s->hangs_up_on_bgsave = false;
    }
}

static void
answer_config(const struct scene *s, const struct reply *command, struct fake_answer *a)
{
    const char *name = command->elements[2]->text, *value = "no";
    char text[512];

    if (strcmp(name, "dir") == 0)
        value = "/the/servers/dir";
    else if (strcmp(name, "dbfilename") == 0)
        value = s->dbfilename;
    (void)snprintf(text, sizeof(text), "*2\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(name), name, strlen(value), value);
    fake_answer_raw(a, s->config_error != NULL ? s->config_error : text);
}

static void
answer(const struct reply *command, struct fake_answer *a, void *cookie)
{
    struct scene *s = cookie;

    if (fake_redis_word_is(command, 0, "INFO")) {
        answer_info(s, a);
    } else if (fake_redis_word_is(command, 0, "BGSAVE")) {
        answer_bgsave(s, command, a);
    } else if (fake_redis_word_is(command, 0, "CONFIG")) {
        answer_config(s, command, a);
    } else if (fake_redis_word_is(command, 0, "ROLE")) {
        const char *role = strcmp(s->role, "master") == 0 ? "*1\r\n$6\r\nmaster\r\n" : "*1\r\n$5\r\nslave\r\n";

        fake_answer_raw(a, s->role_error != NULL ? s->role_error : role);
    } else {
        fake_answer_raw(a, "-ERR unknown command\r\n");
    }
}

/* ---- the stage -------------------------------------------------------------------------------------------------- */

static struct scene
new_scene(void)
{
    struct scene s = {.role = "master",
                      .dbfilename = "dump.rdb",
                      .used_memory = "1000",
                      .saves_step = 1,
                      .save_for = 2,
                      .saves = 5,
                      .last_save_s = clock_wall_ms() / 1000 - 100};

    test_make_dir(s.dir);
    put_file(&s, "dump.rdb", "REDIS0010 the old dump");
    return s;
}

static struct source_bgsave_options
new_options(const struct scene *s)
{
    return (struct source_bgsave_options){
        .data_dir = s->dir, .timeout_ms = 20000, .allow_master = true, .reconnect_ms = 500};
}

/* Back up the scene; afterwards the fake is gone, and the scene's folder too. */
static int
back_up(struct scene *s, struct source_bgsave_options *o, struct source **out, struct err *err)
{
    struct fake_redis *fake = fake_redis_start(answer, s);
    struct endpoint e;
    int rc;

    fake_redis_endpoint(fake, &e);
    o->endpoint = &e;
    rc = source_bgsave_open(o, out, err);
    o->endpoint = NULL;
    fake_redis_stop(fake);
    endpoint_fini(&e);
    test_remove_dir(s->dir);
    assert_int_equal(s->schedules, 0);
    return rc;
}

static struct source *
must_back_up(struct scene *s)
{
    struct source_bgsave_options o = new_options(s);
    struct source *src = NULL;
    struct err err = ERR_INIT;
    char text[64] = "";
    size_t got = 0;

    assert_ok(back_up(s, &o, &src, &err), &err);
    assert_ok(source_read(src, text, sizeof(text) - 1, &got, &err), &err);
    assert_string_equal(text, "REDIS0010 the new dump");
    return src;
}

/* It fails with CODE, and the sentence has WORDS in it. */
static void
must_fail_with(struct scene *s, struct source_bgsave_options *o, enum err_code code, const char *words)
{
    struct source *src = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(back_up(s, o, &src, &err), -1);
    if (err.code != code)
        fail_msg("%s, not %s: %s", err_name(err.code), err_name(code), err.msg);
    if (strstr(err.msg, words) == NULL)
        fail_msg("%s: no \"%s\"", err.msg, words);
    assert_null(src);
}

static void
must_fail(struct scene *s, enum err_code code, const char *words)
{
    struct source_bgsave_options o = new_options(s);

    must_fail_with(s, &o, code, words);
}

/* ---- what goes well --------------------------------------------------------------------------------------------- */

static void
source_bgsave__plain__facts_time_and_size(void **state)
{
    struct scene s = new_scene();
    int64_t before = clock_wall_ms();
    struct source *src;

    (void)state;
    s.extra_info = "server_name:valkey\r\nvalkey_version:8.1.1\r\nmodule:name=search,ver=1\r\n";
    src = must_back_up(&s);
    assert_string_equal(src->ops->name, "bgsave");
    assert_true(src->facts.known && src->facts.config_known);
    assert_string_equal(src->facts.kind, "valkey");
    assert_string_equal(src->facts.version, "8.1.1");
    assert_string_equal(src->facts.run_id, "aaaa");
    assert_string_equal(src->facts.role, "master");
    assert_string_equal(src->facts.modules, "search");
    assert_string_equal(src->facts.config.dir, "/the/servers/dir");
    assert_true(strlen(src->facts.host) > 0);
    assert_memory_equal(src->facts.address, "redis://127.0.0.1:", 18);
    assert_int_equal(src->size, strlen("REDIS0010 the new dump"));
    assert_true(src->snapshot_ms >= before && src->snapshot_ms <= clock_wall_ms());
    assert_int_equal(s.bgsaves, 1);
    source_free(src);
}

static void
source_bgsave__confirm__ctime_must_not_be_older_than_the_request(void **state)
{
    struct scene s = new_scene();
    struct source *src = must_back_up(&s);
    struct rdb_info found = {.ctime_s = src->snapshot_ms / 1000};
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(source_confirm(src, &found, &err), &err);
    found.ctime_s = -1;
    assert_ok(source_confirm(src, &found, &err), &err);
    found.ctime_s = src->snapshot_ms / 1000 - 3;
    assert_fails(source_confirm(src, &found, &err), &err, ERR_SERVER);
    source_free(src);
}

static void
source_bgsave__old_server__inode_and_a_wider_ctime_do(void **state)
{
    struct scene s = new_scene();
    struct rdb_info found = {0};
    struct err err = ERR_INIT;
    struct source *src;

    (void)state;
    s.is_old = true;
    src = must_back_up(&s);
    found.ctime_s = src->snapshot_ms / 1000 - 30; /* the clocks of two machines */
    assert_ok(source_confirm(src, &found, &err), &err);
    found.ctime_s = src->snapshot_ms / 1000 - 90;
    assert_fails(source_confirm(src, &found, &err), &err, ERR_SERVER);
    source_free(src);
}

static void
source_bgsave__first_dump_ever__is_taken(void **state)
{
    struct scene s = new_scene();
    char path[400];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/dump.rdb", s.dir);
    assert_int_equal(unlink(path), 0);
    source_free(must_back_up(&s));
}

static void
source_bgsave__refused_for_now__asks_again(void **state)
{
    static const char *const refusals[] = {
        "-ERR Background save already in progress\r\n",
        "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule "
        "a BGSAVE whenever possible.\r\n",
        "-ERR An AOF log rewriting in progress: can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a "
        "BGSAVE whenever possible.\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n"};
    struct scene s = new_scene();

    (void)state;
    memcpy(s.refusals, refusals, sizeof(refusals));
    source_free(must_back_up(&s));
    assert_int_equal(s.bgsaves, 5);
}

static void
source_bgsave__something_else_running__is_waited_for(void **state)
{
    static const char *const lines[] = {"rdb_bgsave_in_progress:1\r\n",  "aof_rewrite_in_progress:1\r\n",
                                        "module_fork_in_progress:1\r\n", "master_sync_in_progress:1\r\n",
                                        "async_loading:1\r\n",           "loading:1\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct scene s = new_scene();

        s.busy_line = lines[i]; /* it comes first, and the first of a field counts */
        s.busy_for = 5;
        source_free(must_back_up(&s));
        assert_int_equal(s.bgsaves, 1);
        assert_true(s.infos >= 6);
    }
}

static void
source_bgsave__another_save_after_ours__is_newer_and_fine(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.saves_step = 2;
    source_free(must_back_up(&s));
}

static void
source_bgsave__connection_lost_in_the_save__goes_on(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.hangs_up_in_save = true;
    source_free(must_back_up(&s));
    assert_int_equal(s.bgsaves, 1);
}

static void
source_bgsave__answer_to_bgsave_lost__waits_and_asks_anew(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.hangs_up_on_bgsave = true;
    source_free(must_back_up(&s));
    assert_int_equal(s.bgsaves, 2);
}

static void
source_bgsave__busy_script_in_the_save__is_waited_out(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.script_busy_for = 3;
    source_free(must_back_up(&s));
}

static void
source_bgsave__config_and_role_denied__does_without(void **state)
{
    static const char *const denials[] = {"-NOPERM this user has no permissions\r\n",
                                          "-ERR unknown command 'x', with args beginning with: \r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(denials); i++) {
        struct scene s = new_scene();
        struct source *src;

        s.config_error = s.role_error = denials[i];
        s.role = "slave";
        src = must_back_up(&s);
        assert_false(src->facts.config_known);
        assert_string_equal(src->facts.config.dir, "");
        assert_string_equal(src->facts.role, "replica"); /* INFO says it too */
        source_free(src);
    }
}

static void
source_bgsave__replica_when_masters_are_refused__is_taken(void **state)
{
    struct scene s = new_scene();
    struct source_bgsave_options o = new_options(&s);
    struct source *src = NULL;
    struct err err = ERR_INIT;

    (void)state;
    s.role = "slave";
    o.allow_master = false;
    assert_ok(back_up(&s, &o, &src, &err), &err);
    assert_string_equal(src->facts.role, "replica");
    source_free(src);
}

static void
source_bgsave__rdb_file_given__is_the_one_that_is_read(void **state)
{
    struct scene s = new_scene();
    struct source_bgsave_options o = new_options(&s);
    struct source *src = NULL;
    struct err err = ERR_INIT;
    char path[400];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/dump.rdb", s.dir);
    o.data_dir = NULL;
    o.rdb_file = path;
    s.dbfilename = "not-this.rdb";
    assert_ok(back_up(&s, &o, &src, &err), &err);
    source_free(src);
}

/* What was told: how often in each phase, and the last of each. */
struct told {
    unsigned waiting, saving;
    char reason[128];
    uint64_t done, total;
};

static void
tell(const struct source_progress *p, void *cookie)
{
    struct told *t = cookie;

    if (p->phase == SOURCE_WAITING) {
        t->waiting++;
        (void)snprintf(t->reason, sizeof(t->reason), "%s", p->waiting_for);
    } else {
        t->saving++;
        t->done = p->keys_done;
        t->total = p->keys_total;
    }
}

static void
source_bgsave__progress__tells_both_phases(void **state)
{
    struct scene s = new_scene();
    struct source_bgsave_options o = new_options(&s);
    struct told told = {0};
    struct source *src = NULL;
    struct err err = ERR_INIT;

    (void)state;
    s.busy_line = "aof_rewrite_in_progress:1\r\n";
    s.busy_for = 5;
    s.save_for = 10;
    o.progress = tell;
    o.cookie = &told;
    assert_ok(back_up(&s, &o, &src, &err), &err);
    assert_true(told.waiting >= 1 && told.waiting <= 3);
    assert_non_null(strstr(told.reason, "append-only"));
    assert_true(told.saving >= 2 && told.saving <= 8);
    assert_int_equal(told.done, 10);
    assert_int_equal(told.total, 20);
    source_free(src);
}

/* ---- what does not ---------------------------------------------------------------------------------------------- */

static void
source_bgsave__save_fails__says_misconf_and_leftovers(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.save_fails = true;
    put_file(&s, "temp-4711.rdb", "half a dump");
    must_fail(&s, ERR_SERVER, "temp-4711.rdb");
    s = new_scene();
    s.save_fails = true;
    must_fail(&s, ERR_SERVER, "MISCONF");
}

static void
source_bgsave__save_fails_on_a_full_volume__is_no_space(void **state)
{
    struct scene s = new_scene();
    char path[400];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/dump.rdb", s.dir);
    assert_int_equal(unlink(path), 0);
    s.save_fails = true;
    s.used_memory_later = FULL;
    must_fail(&s, ERR_NO_SPACE, "no room");
}

static void
source_bgsave__no_space__is_found_before_bgsave(void **state)
{
    struct scene s = new_scene();
    char path[400];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/dump.rdb", s.dir);
    assert_int_equal(unlink(path), 0);
    s.used_memory = FULL;
    must_fail(&s, ERR_NO_SPACE, "4.00 EiB");
    assert_int_equal(s.bgsaves, 0);
}

static void
source_bgsave__no_save_counted__is_a_failure(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.saves_step = 0;
    must_fail(&s, ERR_SERVER, "counts none");
}

static void
source_bgsave__save_given_up__is_told_from_a_wrong_folder(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.gives_up = true;
    must_fail(&s, ERR_SERVER, "given up");
}

static void
source_bgsave__dump_not_replaced__names_both_folders(void **state)
{
    struct scene s = new_scene();
    char words[400];

    (void)state;
    s.keeps_old_dump = true;
    (void)snprintf(words, sizeof(words),
                   "%s/dump.rdb did not change: the server writes to its own dir /the/servers/dir", s.dir);
    must_fail(&s, ERR_USAGE, words);
}

static void
source_bgsave__server_restarts__is_noticed(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.restarts = true;
    must_fail(&s, ERR_SERVER, "restarted");
}

static void
source_bgsave__server_dies__fails_soon(void **state)
{
    struct scene s = new_scene();
    int64_t start = clock_mono_ms();

    (void)state;
    s.dies = true;
    must_fail(&s, ERR_SERVER, "while redis://127.0.0.1:");
    assert_true(clock_mono_ms() - start < 5000);
}

static void
source_bgsave__too_slow__says_that_the_save_goes_on(void **state)
{
    struct scene s = new_scene();
    struct source_bgsave_options o = new_options(&s);
    int64_t start = clock_mono_ms();

    (void)state;
    o.timeout_ms = 500;
    s.save_for = 1000000;
    must_fail_with(&s, &o, ERR_SERVER, "did not finish within 500 ms; the save goes on");
    assert_true(clock_mono_ms() - start < 5000);
}

static void
source_bgsave__never_idle__says_what_for_and_asks_nothing(void **state)
{
    struct scene s = new_scene();
    struct source_bgsave_options o = new_options(&s);

    (void)state;
    o.timeout_ms = 500;
    s.busy_line = "aof_rewrite_in_progress:1\r\n";
    s.busy_for = 1000000;
    must_fail_with(&s, &o, ERR_SERVER, "still waiting for a rewrite of the append-only file");
    assert_int_equal(s.bgsaves, 0);
}

static void
source_bgsave__master_not_allowed__is_refused_before_bgsave(void **state)
{
    struct scene s = new_scene();
    struct source_bgsave_options o = new_options(&s);

    (void)state;
    o.allow_master = false;
    must_fail_with(&s, &o, ERR_REFUSED, "is a master");
    assert_int_equal(s.bgsaves, 0);
}

static void
source_bgsave__bgsave_refused_for_good__class_and_words(void **state)
{
    static const struct {
        const char *reply;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"-NOPERM this user has no permissions to run the 'bgsave' command\r\n", ERR_SERVER_DENIED, "+bgsave"},
        {"-ERR unknown command 'BGSAVE', with args beginning with: \r\n", ERR_SERVER_DENIED, "managed"},
        {"-MASTERDOWN Link with MASTER is down\r\n", ERR_SERVER, "MASTERDOWN"},
        {"-ERR\r\n", ERR_SERVER, "overcommit_memory"},
        {"+Background saving scheduled\r\n", ERR_SERVER, "scheduled"},
        {":1\r\n", ERR_SERVER, "no status"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s = new_scene();

        s.refusals[0] = cases[i].reply;
        must_fail(&s, cases[i].code, cases[i].says);
        assert_int_equal(s.bgsaves, 1);
    }
}

static void
source_bgsave__info_refused__class_and_words(void **state)
{
    static const struct {
        const char *reply;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"-NOAUTH Authentication required.\r\n", ERR_SERVER_DENIED, "REDISCLI_AUTH"},
        {"-NOPERM this user has no permissions to run the 'info' command\r\n", ERR_SERVER_DENIED, "+info"},
        {"-BUSY Redis is busy running a script.\r\n", ERR_SERVER, "BUSY"},
        {":1\r\n", ERR_SERVER, "not a text"},
        {"$51\r\n# Server\r\nredis_version:7.0.15\r\nredis_mode:sentinel\r\n", ERR_USAGE, "Sentinel"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s = new_scene();

        s.info_error = cases[i].reply;
        must_fail(&s, cases[i].code, cases[i].says);
    }
}

static void
source_bgsave__dbfilename_that_is_a_path__is_not_followed(void **state)
{
    struct scene s = new_scene();

    (void)state;
    s.dbfilename = "../../etc/passwd";
    must_fail(&s, ERR_SERVER, "no file name");
    assert_int_equal(s.bgsaves, 0);
}

static void
source_bgsave__folder_missing_or_not_given__asks_no_server(void **state)
{
    struct scene s = new_scene();
    struct source_bgsave_options o = new_options(&s);

    (void)state;
    o.data_dir = "/nonexistent/data";
    must_fail_with(&s, &o, ERR_USAGE, "/nonexistent/data");
    assert_int_equal(s.infos, 0);
    s = new_scene();
    o.data_dir = NULL;
    must_fail_with(&s, &o, ERR_USAGE, "--data-dir");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_bgsave__plain__facts_time_and_size),
        cmocka_unit_test(source_bgsave__confirm__ctime_must_not_be_older_than_the_request),
        cmocka_unit_test(source_bgsave__old_server__inode_and_a_wider_ctime_do),
        cmocka_unit_test(source_bgsave__first_dump_ever__is_taken),
        cmocka_unit_test(source_bgsave__refused_for_now__asks_again),
        cmocka_unit_test(source_bgsave__something_else_running__is_waited_for),
        cmocka_unit_test(source_bgsave__another_save_after_ours__is_newer_and_fine),
        cmocka_unit_test(source_bgsave__connection_lost_in_the_save__goes_on),
        cmocka_unit_test(source_bgsave__answer_to_bgsave_lost__waits_and_asks_anew),
        cmocka_unit_test(source_bgsave__busy_script_in_the_save__is_waited_out),
        cmocka_unit_test(source_bgsave__config_and_role_denied__does_without),
        cmocka_unit_test(source_bgsave__replica_when_masters_are_refused__is_taken),
        cmocka_unit_test(source_bgsave__rdb_file_given__is_the_one_that_is_read),
        cmocka_unit_test(source_bgsave__progress__tells_both_phases),
        cmocka_unit_test(source_bgsave__save_fails__says_misconf_and_leftovers),
        cmocka_unit_test(source_bgsave__save_fails_on_a_full_volume__is_no_space),
        cmocka_unit_test(source_bgsave__no_space__is_found_before_bgsave),
        cmocka_unit_test(source_bgsave__no_save_counted__is_a_failure),
        cmocka_unit_test(source_bgsave__save_given_up__is_told_from_a_wrong_folder),
        cmocka_unit_test(source_bgsave__dump_not_replaced__names_both_folders),
        cmocka_unit_test(source_bgsave__server_restarts__is_noticed),
        cmocka_unit_test(source_bgsave__server_dies__fails_soon),
        cmocka_unit_test(source_bgsave__too_slow__says_that_the_save_goes_on),
        cmocka_unit_test(source_bgsave__never_idle__says_what_for_and_asks_nothing),
        cmocka_unit_test(source_bgsave__master_not_allowed__is_refused_before_bgsave),
        cmocka_unit_test(source_bgsave__bgsave_refused_for_good__class_and_words),
        cmocka_unit_test(source_bgsave__info_refused__class_and_words),
        cmocka_unit_test(source_bgsave__dbfilename_that_is_a_path__is_not_followed),
        cmocka_unit_test(source_bgsave__folder_missing_or_not_given__asks_no_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
