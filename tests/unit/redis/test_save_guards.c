/* SPDX-License-Identifier: Apache-2.0 */
/* The guards before a BGSAVE: what each policy does with a server that is short of memory, or of room. */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/save_scene.h"

/* Beside used_memory:1000: a save is expected to take 100 bytes more, and may take 1000. */
#define SHORT "used_memory_rss:1200\r\ntotal_system_memory:1299\r\n"
#define TIGHT "used_memory_rss:1200\r\ntotal_system_memory:1300\r\n"

/* Back up S as O says; it works. How many findings come of it; *TEXT (room for 240) is the first one's guard and
 * sentence. */
static size_t
findings_of(struct scene *s, struct source_bgsave_options *o, char *text)
{
    struct source *src = NULL;
    struct err err = ERR_INIT;
    size_t count;

    assert_ok(scene_back_up(s, o, &src, &err), &err);
    count = src->findings.count;
    if (count > 0)
        (void)snprintf(text, 260, "%s: %s", src->findings.list[0].guard, src->findings.list[0].text);
    source_free(src);
    assert_int_equal(s->bgsaves, 1);
    return count;
}

static void
memory_guard__short__each_policy(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    char text[260] = "";

    (void)state;
    s.extra_info = SHORT;
    assert_int_equal(findings_of(&s, &o, text), 1);
    assert_string_equal(text,
                        "memory: the server has 1.17 KiB resident, a save may take 100 B more (the last one copied "
                        "0 B), and the limit of its machine is 1.27 KiB");
    s = scene_new();
    s.extra_info = SHORT;
    o = scene_options(&s);
    o.guards.memory.policy = GUARD_OFF;
    assert_int_equal(findings_of(&s, &o, text), 0);
    s = scene_new();
    s.extra_info = SHORT;
    o = scene_options(&s);
    o.guards.memory.policy = GUARD_REFUSE;
    scene_must_fail_with(&s, &o, ERR_NO_SPACE, "it was not asked to save");
    assert_int_equal(s.bgsaves, 0);
}

static void
memory_guard__tight__is_no_finding(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    char text[260];

    (void)state;
    s.extra_info = TIGHT;
    o.guards.memory.policy = GUARD_REFUSE;
    assert_int_equal(findings_of(&s, &o, text), 0);
}

static void
memory_guard__no_limit_known__cannot_refuse(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    char text[260];

    (void)state;
    o.guards.memory.policy = GUARD_REFUSE;
    assert_int_equal(findings_of(&s, &o, text), 0);
}

static void
memory_guard__limit_given__counts_instead_of_the_machines(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    char text[260];

    (void)state;
    s.extra_info = SHORT;
    o.guards.memory = (struct guard_memory_options){.policy = GUARD_REFUSE, .server_memory = 1300};
    assert_int_equal(findings_of(&s, &o, text), 0);
    s = scene_new();
    o = scene_options(&s);
    o.guards.memory = (struct guard_memory_options){.policy = GUARD_REFUSE, .server_memory = 1099};
    scene_must_fail_with(&s, &o, ERR_NO_SPACE, "--server-memory");
}

/* A busy server is asked again and again, and each time the guards are. */
static void
memory_guard__asked_often__finds_once(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    struct source *src = NULL;
    struct err err = ERR_INIT;

    (void)state;
    s.extra_info = SHORT;
    s.refusals[0] = s.refusals[1] = "-ERR Background save already in progress\r\n";
    assert_ok(scene_back_up(&s, &o, &src, &err), &err);
    assert_int_equal(s.bgsaves, 3);
    assert_int_equal(src->findings.count, 1);
    source_free(src);
}

static void
space_guard__full_volume__each_policy(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);
    char text[260] = "";

    (void)state;
    scene_remove(&s, "dump.rdb");
    s.used_memory = SCENE_FULL;
    o.guards.space = GUARD_WARN;
    assert_int_equal(findings_of(&s, &o, text), 1);
    assert_non_null(strstr(text, "space: the server's volume has "));
    assert_non_null(strstr(text, "a save needs 4.00 EiB (the server's used memory"));
    s = scene_new();
    scene_remove(&s, "dump.rdb");
    s.used_memory = SCENE_FULL;
    o = scene_options(&s);
    o.guards.space = GUARD_OFF;
    assert_int_equal(findings_of(&s, &o, text), 0);
    s = scene_new();
    scene_remove(&s, "dump.rdb");
    s.used_memory = SCENE_FULL;
    o = scene_options(&s);
    o.guards.space = GUARD_REFUSE;
    scene_must_fail_with(&s, &o, ERR_NO_SPACE, "MISCONF");
    assert_int_equal(s.bgsaves, 0);
}

static void
space_guard__gone_on_with_and_the_save_fails__is_no_space(void **state)
{
    struct scene s = scene_new();
    struct source_bgsave_options o = scene_options(&s);

    (void)state;
    scene_remove(&s, "dump.rdb");
    s.used_memory = SCENE_FULL;
    s.save_fails = true;
    o.guards.space = GUARD_WARN;
    scene_must_fail_with(&s, &o, ERR_NO_SPACE, "no room");
    assert_int_equal(s.bgsaves, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_guard__short__each_policy),
        cmocka_unit_test(memory_guard__tight__is_no_finding),
        cmocka_unit_test(memory_guard__no_limit_known__cannot_refuse),
        cmocka_unit_test(memory_guard__limit_given__counts_instead_of_the_machines),
        cmocka_unit_test(memory_guard__asked_often__finds_once),
        cmocka_unit_test(space_guard__full_volume__each_policy),
        cmocka_unit_test(space_guard__gone_on_with_and_the_save_fails__is_no_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
