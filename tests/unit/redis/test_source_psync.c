/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/psync_handshake.h"
#include "snapshot/redis/source_psync.h"
#include "tests/support/fake_redis.h"

#define ID       "0123456789abcdef0123456789abcdef01234567"
#define OTHER_ID "ffffffffffffffffffffffffffffffffffffffff"
#define MARK     "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
#define FULL     "+FULLRESYNC " ID " 77\r\n"
#define DUMP     "REDIS0011 all of the data"

/* What the fake answers; PSYNC number N (from 0) with psync[N], or with the last one. */
struct scene {
    const char *ping, *ip_address, *capa, *version, *rdb_only, *info, *role;
    const char *psync[5];
    bool hang_up, slow; /* after PSYNC's answer; byte by byte */
    pthread_mutex_t mutex;
    unsigned psyncs;
    char seen[4096];
    struct fake_redis *fake;
    struct endpoint endpoint;
};

static const char *
answer_replconf(const struct scene *s, const struct reply *command)
{
    static const char unknown[] = "-ERR Unrecognized REPLCONF option: it\r\n";
    const struct {
        const char *option, *answer;
    } options[] = {
        {"ip-address", s->ip_address}, {"capa", s->capa}, {"version", s->version}, {"rdb-only", s->rdb_only}};

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (fake_redis_word_is(command, 1, options[i].option))
            return options[i].answer != NULL ? options[i].answer : "+OK\r\n";
    }
    return fake_redis_word_is(command, 1, "ACK") ? "" : unknown;
}

static void
play(const struct reply *command, struct fake_answer *answer, void *cookie)
{
    struct scene *s = cookie;
    const char *text = "-NOPERM no\r\n";
    size_t at;

    (void)pthread_mutex_lock(&s->mutex);
    at = strlen(s->seen);
    for (size_t i = 0; i < command->count && at < sizeof(s->seen); i++)
        at += (size_t)snprintf(s->seen + at, sizeof(s->seen) - at, "%s%s", command->elements[i]->text,
                               i + 1 < command->count ? " " : "\n");
    if (fake_redis_word_is(command, 0, "PING"))
        text = s->ping != NULL ? s->ping : "+PONG\r\n";
    else if (fake_redis_word_is(command, 0, "INFO") && s->info != NULL)
        text = s->info;
    else if (fake_redis_word_is(command, 0, "ROLE") && s->role != NULL)
        text = s->role;
    else if (fake_redis_word_is(command, 0, "REPLCONF"))
        text = answer_replconf(s, command);
    else if (fake_redis_word_is(command, 0, "PSYNC")) {
        unsigned n = s->psyncs++;

        while (n > 0 && (n >= ARRAY_LEN(s->psync) || s->psync[n] == NULL))
            n--;
        text = s->psync[n];
        answer->hang_up = s->hang_up;
        answer->slice = s->slow ? 1 : 0;
    }
    fake_answer_raw(answer, text);
    (void)pthread_mutex_unlock(&s->mutex);
}

static void
scene_up(struct scene *s)
{
    assert_int_equal(pthread_mutex_init(&s->mutex, NULL), 0);
    s->fake = fake_redis_start(play, s);
    fake_redis_endpoint(s->fake, &s->endpoint);
}

static void
scene_down(struct scene *s)
{
    fake_redis_stop(s->fake);
    endpoint_fini(&s->endpoint);
    (void)pthread_mutex_destroy(&s->mutex);
}

static bool
has_seen(struct scene *s, const char *text)
{
    bool found;

    (void)pthread_mutex_lock(&s->mutex);
    found = strstr(s->seen, text) != NULL;
    (void)pthread_mutex_unlock(&s->mutex);
    return found;
}

static struct source_psync_options
options_for(const struct scene *s)
{
    return (struct source_psync_options){
        .endpoint = &s->endpoint, .timeout_ms = 3000, .allow_master = true, .stall_ms = 2000, .pause_ms = 1};
}

static int
read_all(struct source *source, char *out, size_t size, struct err *err)
{
    size_t len = 0, got = 1;

    while (got > 0) {
        if (source_read(source, out + len, size - 1 - len, &got, err) < 0)
            return -1;
        len += got;
    }
    out[len] = '\0';
    return 0;
}

/* Open, read DUMP, confirm. Returns the source, still open. */
static struct source *
expect_dump(struct scene *s)
{
    struct source_psync_options o = options_for(s);
    struct source *source = NULL;
    struct rdb_info info;
    struct err err = ERR_INIT;
    char text[200];

    assert_ok(source_psync_open(&o, &source, &err), &err);
    assert_ok(read_all(source, text, sizeof(text), &err), &err);
    assert_string_equal(text, DUMP);
    rdb_info_init(&info);
    assert_ok(source_confirm(source, &info, &err), &err);
    return source;
}

static void
source_psync_open__both_framings__the_dump(void **state)
{
    static const struct {
        const char *psync;
        bool hang_up, slow;
        uint64_t size;
    } cases[] = {
        {FULL "$25\r\n" DUMP, false, false, 25},
        {FULL "$25\r\n" DUMP, true, true, 25},
        {"\n\n" FULL "\n\n$EOF:" MARK "\r\n" DUMP MARK, true, false, 0},
        {"\n" FULL "\n$EOF:" MARK "\r\n" DUMP MARK, true, true, 0},
        {FULL "$EOF:" MARK "\r\n" DUMP MARK, false, false, 0}, /* silence ends it */
        {FULL "$25\r\n" DUMP "*1\r\n$4\r\nping\r\n", false, false, 25},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s = {.psync = {cases[i].psync}, .hang_up = cases[i].hang_up, .slow = cases[i].slow};
        struct source *source;
        int64_t now = clock_wall_ms();

        scene_up(&s);
        source = expect_dump(&s);
        assert_int_equal(source->size, cases[i].size);
        assert_true(source->snapshot_ms >= now && source->snapshot_ms <= clock_wall_ms());
        assert_string_equal(source->facts.repl_id, ID);
        assert_int_equal(source->facts.repl_offset, 77);
        assert_true(source->facts.known);
        assert_string_equal(source->facts.role, "");
        assert_string_equal(source->facts.address, endpoint_describe(&s.endpoint));
        source_free(source);
        scene_down(&s);
    }
}

static void
source_psync_open__handshake__says_this_and_no_more(void **state)
{
    struct scene s = {.psync = {FULL "$25\r\n" DUMP}};

    (void)state;
    scene_up(&s);
    source_free(expect_dump(&s));
    scene_down(&s);
    assert_string_equal(s.seen, "PING\nINFO\nROLE\nCONFIG GET dir\n"
                                "REPLCONF ip-address \nREPLCONF capa eof capa psync2\n"
                                "REPLCONF version " PSYNC_SPEAKS_VERSION "\nREPLCONF rdb-only 1\nPSYNC ? -1\n");
}

static void
source_psync_open__server_before_6_2__takes_the_dump_and_acknowledges(void **state)
{
    static const char unknown[] = "-ERR Unrecognized REPLCONF option: rdb-only\r\n";
    struct scene s = {.rdb_only = unknown,
                      .version = unknown,
                      .ip_address = "-ERR REPLCONF ip-address provided by replica instance is bad\r\n",
                      .psync = {FULL "$EOF:" MARK "\r\n" DUMP MARK}};

    (void)state;
    scene_up(&s);
    source_free(expect_dump(&s));
    for (int i = 0; i < 100 && !has_seen(&s, "ACK"); i++)
        clock_sleep_ms(10);
    scene_down(&s);
    assert_non_null(strstr(s.seen, "REPLCONF ACK 77\n"));
}

static void
source_psync_open__refusals_that_pass__are_waited_for(void **state)
{
    struct scene s = {.psync = {"-LOADING Redis is loading the dataset in memory\r\n",
                                "-NOMASTERLINK Can't SYNC while not connected with my master\r\n",
                                "-MASTERDOWN Link with MASTER is down\r\n", "\n-BUSY Redis is busy\r\n",
                                FULL "$25\r\n" DUMP}};

    (void)state;
    scene_up(&s);
    source_free(expect_dump(&s));
    scene_down(&s);
    assert_int_equal(s.psyncs, 5);
}

static void
source_psync_open__closes_after_accepting__tries_three_times(void **state)
{
    struct scene once = {.psync = {FULL, FULL "$25\r\n" DUMP}, .hang_up = true};
    struct scene always = {.psync = {FULL "\n"}, .hang_up = true};
    struct scene no_fork = {.psync = {FULL "-ERR BGSAVE failed, replication can't continue\r\n"}};
    struct scene *failing[] = {&always, &no_fork};

    (void)state;
    scene_up(&once);
    source_free(expect_dump(&once));
    scene_down(&once);
    assert_int_equal(once.psyncs, 2);
    for (size_t i = 0; i < ARRAY_LEN(failing); i++) {
        struct source_psync_options o;
        struct source *source = NULL;
        struct err err = ERR_INIT;

        scene_up(failing[i]);
        o = options_for(failing[i]);
        assert_int_equal(source_psync_open(&o, &source, &err), -1);
        assert_int_equal(err.code, ERR_SERVER);
        assert_non_null(strstr(err.msg, "3 tries failed"));
        scene_down(failing[i]);
        assert_int_equal(failing[i]->psyncs, 3);
    }
}

static void
source_psync_open__what_cannot_pass__code_and_words(void **state)
{
    static const char info[] = "$13\r\nrole:master\r\n\r\n";
    static const char sentinel[] = "$21\r\nredis_mode:sentinel\r\n\r\n";
    static const struct {
        struct scene scene;
        bool no_master;
        enum err_code code;
        const char *says;
    } cases[] = {
        {{.ping = "-NOAUTH Authentication required.\r\n"}, false, ERR_SERVER_DENIED, "--redis-password-file"},
        {{.ping = "-LOADING loading\r\n"}, false, ERR_SERVER, "--timeout is over"},
        {{.ping = "-DENIED protected\r\n"}, false, ERR_SERVER_DENIED, "protected mode"},
        {{.capa = "-NOPERM no permission\r\n"}, false, ERR_SERVER_DENIED, "+replconf"},
        {{.ip_address = "-NOPERM no permission\r\n"}, false, ERR_SERVER_DENIED, "+replconf"},
        {{.ip_address = "-ERR unknown command 'REPLCONF'\r\n"}, false, ERR_SERVER_DENIED, "managed service"},
        {{.info = sentinel}, false, ERR_USAGE, "Sentinel"},
        {{.info = info}, true, ERR_REFUSED, "is a master"},
        {{0}, true, ERR_REFUSED, "does not say whether"},
        {{.psync = {"-NOPERM no permission\r\n"}}, false, ERR_SERVER_DENIED, "+psync"},
        {{.psync = {"-ERR unknown command 'PSYNC'\r\n"}}, false, ERR_SERVER_DENIED, "managed service"},
        {{.psync = {"-NOMASTERLINK down\r\n"}}, false, ERR_SERVER, "connected with its master"},
        {{.psync = {"-MISCONF errors\r\n"}}, false, ERR_SERVER, "MISCONF"},
        {{.psync = {"+CONTINUE " ID "\r\n"}}, false, ERR_SERVER, "replication protocol"},
        {{.psync = {"+RDBCHANNELSYNC 5\r\n"}}, false, ERR_SERVER, "replication protocol"},
        {{.psync = {"HTTP/1.1 400\033[1m Bad\r\n"}}, false, ERR_SERVER, "400?[1m"},
        {{.psync = {"\n"}, .hang_up = true}, false, ERR_SERVER, "without an answer"},
        {{.psync = {FULL "$x\r\n"}}, false, ERR_SERVER, "replication protocol"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s = cases[i].scene;
        struct source_psync_options o;
        struct source *source = NULL;
        struct err err = ERR_INIT;

        if (s.psync[0] == NULL)
            s.psync[0] = FULL "$25\r\n" DUMP;
        scene_up(&s);
        o = options_for(&s);
        o.allow_master = !cases[i].no_master;
        o.timeout_ms = 3000; /* enough for the handshake on a busy machine; two cases wait for its end */
        if (source_psync_open(&o, &source, &err) == 0)
            fail_msg("case %zu succeeded", i);
        if (err.code != cases[i].code || strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu: %s, no \"%s\": %s", i, err_name(err.code), cases[i].says, err.msg);
        scene_down(&s);
        if (cases[i].code != ERR_SERVER)
            assert_true(s.psyncs <= 1); /* none of these is tried again */
    }
}

static void
source_psync_open__silence__is_noticed(void **state)
{
    static const char *const answers[] = {"", "\n\n", FULL "\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct scene s = {.psync = {answers[i]}};
        struct source *source = NULL;
        struct err err = ERR_INIT;

        for (int by_timeout = 0; by_timeout < 2; by_timeout++) {
            struct source_psync_options o;
            int64_t start = clock_mono_ms();

            scene_up(&s);
            o = options_for(&s);
            o.stall_ms = by_timeout ? 60000 : 500;
            o.timeout_ms = by_timeout ? 2000 : 60000;
            assert_int_equal(source_psync_open(&o, &source, &err), -1);
            assert_int_equal(err.code, ERR_SERVER);
            assert_non_null(strstr(err.msg, by_timeout ? "--timeout" : "sent nothing"));
            assert_true(clock_mono_ms() - start < 30000);
            scene_down(&s);
        }
    }
}

static void
source_read__dump_breaks_off__fails(void **state)
{
    static const struct {
        const char *psync;
        bool hang_up;
        const char *says;
    } cases[] = {
        {FULL "$25\r\nREDIS0011 all of th", true, "in mid-transfer"},
        {FULL "$EOF:" MARK "\r\n" DUMP, true, "in mid-transfer"},
        {FULL "$EOF:" MARK "\r\n" DUMP MARK "x", true, "in mid-transfer"},
        {FULL "$25\r\nREDIS0011 all of th", false, "sent nothing"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s = {.psync = {cases[i].psync}, .hang_up = cases[i].hang_up};
        struct source_psync_options o;
        struct source *source = NULL;
        struct err err = ERR_INIT;
        char text[200];

        scene_up(&s);
        o = options_for(&s);
        o.stall_ms = cases[i].hang_up ? 20000 : 500;
        assert_ok(source_psync_open(&o, &source, &err), &err);
        assert_int_equal(read_all(source, text, sizeof(text), &err), -1);
        assert_int_equal(err.code, ERR_SERVER);
        if (strstr(err.msg, cases[i].says) == NULL)
            fail_msg("case %zu: no \"%s\": %s", i, cases[i].says, err.msg);
        source_free(source);
        scene_down(&s);
    }
}

static void
source_confirm__dump_of_another_moment__is_refused(void **state)
{
    static const struct {
        const char *id;
        int64_t offset;
        bool good;
    } cases[] = {{"", -1, true}, {ID, 77, true}, {ID, 78, false}, {OTHER_ID, 77, false}, {ID, -1, true}};
    struct scene s = {.psync = {FULL "$25\r\n" DUMP}};
    struct source *source;

    (void)state;
    scene_up(&s);
    source = expect_dump(&s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rdb_info info;
        struct err err = ERR_INIT;

        rdb_info_init(&info);
        (void)snprintf(info.repl_id, sizeof(info.repl_id), "%s", cases[i].id);
        info.repl_offset = cases[i].offset;
        assert_int_equal(source_confirm(source, &info, &err), cases[i].good ? 0 : -1);
        assert_int_equal(err.code, cases[i].good ? ERR_NONE : ERR_SERVER);
    }
    source_free(source);
    scene_down(&s);
}

static void
source_free__in_mid_transfer__ends_at_once(void **state)
{
    struct scene s = {.psync = {FULL "$1000000\r\nREDIS"}};
    struct source_psync_options o;
    struct source *source = NULL;
    struct err err = ERR_INIT;
    int64_t start;

    (void)state;
    scene_up(&s);
    o = options_for(&s);
    o.stall_ms = 60000;
    assert_ok(source_psync_open(&o, &source, &err), &err);
    start = clock_mono_ms();
    source_free(source);
    assert_true(clock_mono_ms() - start < 2000);
    scene_down(&s);
}

static void
source_psync_open__bad_spool_folder__is_known_before_the_server_is_asked(void **state)
{
    struct scene s = {.psync = {FULL "$25\r\n" DUMP}};
    struct source_psync_options o;
    struct source *source = NULL;
    struct err err = ERR_INIT;

    (void)state;
    scene_up(&s);
    o = options_for(&s);
    o.spool_dir = "/nonexistent";
    o.spool_bytes = 1 << 20;
    assert_fails(source_psync_open(&o, &source, &err), &err, ERR_USAGE);
    assert_string_equal(s.seen, "");
    scene_down(&s);
}

static int
quiet_log(void **state)
{
    (void)state;
    log_setup(2, LOG_TEXT, LOG_OFF);
    return 0;
}

/* ---- the memory guard ---- */

#define MEMORY_INFO                                                                                                    \
    "$102\r\nused_memory:1000\r\nused_memory_rss:1200\r\nrepl_backlog_size:300\r\ntotal_system_memory:1599\r\nrole:"   \
    "master\r\n\r\n"

static void
source_psync_open__memory_short_and_policy_warns__goes_on_with_a_finding(void **state)
{
    struct scene s = {.psync = {FULL "$25\r\n" DUMP}, .info = MEMORY_INFO};
    struct source *source;

    (void)state;
    scene_up(&s);
    source = expect_dump(&s);
    assert_int_equal(source->findings.count, 1);
    assert_string_equal(source->findings.list[0].guard, "memory");
    assert_non_null(strstr(source->findings.list[0].text, "400 B more")); /* a tenth, and the backlog */
    source_free(source);
    scene_down(&s);
}

static void
source_psync_open__memory_short_and_policy_refuses__psync_is_never_sent(void **state)
{
    struct scene s = {.psync = {FULL "$25\r\n" DUMP}, .info = MEMORY_INFO};
    struct source_psync_options o;
    struct source *source = NULL;
    struct err err = ERR_INIT;

    (void)state;
    scene_up(&s);
    o = options_for(&s);
    o.memory_guard.policy = GUARD_REFUSE;
    assert_fails(source_psync_open(&o, &source, &err), &err, ERR_NO_SPACE);
    assert_false(has_seen(&s, "PSYNC"));
    o.memory_guard.server_memory = 1600;
    assert_ok(source_psync_open(&o, &source, &err), &err);
    assert_int_equal(source->findings.count, 0);
    source_free(source);
    scene_down(&s);
}

static void
source_psync_open__info_denied__cannot_be_judged_and_goes_on(void **state)
{
    struct scene s = {.psync = {FULL "$25\r\n" DUMP}};
    struct source_psync_options o;
    struct source *source = NULL;
    struct err err = ERR_INIT;

    (void)state;
    scene_up(&s);
    o = options_for(&s);
    o.memory_guard = (struct guard_memory_options){.policy = GUARD_REFUSE, .server_memory = 1};
    assert_ok(source_psync_open(&o, &source, &err), &err);
    assert_int_equal(source->findings.count, 0);
    source_free(source);
    scene_down(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_psync_open__both_framings__the_dump),
        cmocka_unit_test(source_psync_open__handshake__says_this_and_no_more),
        cmocka_unit_test(source_psync_open__server_before_6_2__takes_the_dump_and_acknowledges),
        cmocka_unit_test(source_psync_open__refusals_that_pass__are_waited_for),
        cmocka_unit_test(source_psync_open__closes_after_accepting__tries_three_times),
        cmocka_unit_test(source_psync_open__what_cannot_pass__code_and_words),
        cmocka_unit_test(source_psync_open__silence__is_noticed),
        cmocka_unit_test(source_read__dump_breaks_off__fails),
        cmocka_unit_test(source_confirm__dump_of_another_moment__is_refused),
        cmocka_unit_test(source_free__in_mid_transfer__ends_at_once),
        cmocka_unit_test(source_psync_open__bad_spool_folder__is_known_before_the_server_is_asked),
        cmocka_unit_test(source_psync_open__memory_short_and_policy_warns__goes_on_with_a_finding),
        cmocka_unit_test(source_psync_open__memory_short_and_policy_refuses__psync_is_never_sent),
        cmocka_unit_test(source_psync_open__info_denied__cannot_be_judged_and_goes_on),
    };

    return cmocka_run_group_tests(tests, quiet_log, NULL);
}
