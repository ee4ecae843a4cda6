/* SPDX-License-Identifier: Apache-2.0 */
/* save_scene.c: see save_scene.h. What the fake's thread calls aborts where a test would fail: cmocka knows of its own
 * thread only. */
#include "tests/support/save_scene.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/support/fake_redis.h"
#include "tests/support/test_common.h"

void
scene_put(const struct scene *s, const char *name, const char *text)
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

void
scene_remove(const struct scene *s, const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    assert_int_equal(unlink(path), 0);
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
        scene_put(s, "dump.rdb", "REDIS0010 the new dump");
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

/* ---- for the tests ----------------------------------------------------------------------------------------------- */

struct scene
scene_new(void)
{
    struct scene s = {.role = "master",
                      .dbfilename = "dump.rdb",
                      .used_memory = "1000",
                      .saves_step = 1,
                      .save_for = 2,
                      .saves = 5,
                      .last_save_s = clock_wall_ms() / 1000 - 100};

    test_make_dir(s.dir);
    scene_put(&s, "dump.rdb", "REDIS0010 the old dump");
    return s;
}

struct source_bgsave_options
scene_options(const struct scene *s)
{
    return (struct source_bgsave_options){
        .data_dir = s->dir,
        .timeout_ms = 20000,
        .allow_master = true,
        .guards = {.space = GUARD_REFUSE},
        .reconnect_ms = 500,
    };
}

int
scene_back_up(struct scene *s, struct source_bgsave_options *o, struct source **out, struct err *err)
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

struct source *
scene_must_back_up(struct scene *s)
{
    struct source_bgsave_options o = scene_options(s);
    struct source *src = NULL;
    struct err err = ERR_INIT;
    char text[64] = "";
    size_t got = 0;

    assert_ok(scene_back_up(s, &o, &src, &err), &err);
    assert_ok(source_read(src, text, sizeof(text) - 1, &got, &err), &err);
    assert_string_equal(text, "REDIS0010 the new dump");
    return src;
}

void
scene_must_fail_with(struct scene *s, struct source_bgsave_options *o, enum err_code code, const char *words)
{
    struct source *src = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(scene_back_up(s, o, &src, &err), -1);
    if (err.code != code)
        fail_msg("%s, not %s: %s", err_name(err.code), err_name(code), err.msg);
    if (strstr(err.msg, words) == NULL)
        fail_msg("%s: no \"%s\"", err.msg, words);
    assert_null(src);
}

void
scene_must_fail(struct scene *s, enum err_code code, const char *words)
{
    struct source_bgsave_options o = scene_options(s);

    scene_must_fail_with(s, &o, code, words);
}
