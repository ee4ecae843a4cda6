/* SPDX-License-Identifier: Apache-2.0 */
/* test_web_places.c: who gives way, and when. */
#include "agent/sidecar/web_places.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/test_common.h"

#define MAX    3
#define MAX_MS 1000

/* Places, each with a socket whose other end tells whether it was shut down. */
struct scene {
    struct web_places places;
    struct web_place *place[8];
    int ends[8][2];
    size_t count;
};

static void
begin(struct scene *s)
{
    s->count = 0;
    web_places_init(&s->places, MAX, MAX_MS);
}

static void
come(struct scene *s, int64_t now_ms)
{
    assert_true(s->count < ARRAY_LEN(s->place));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->ends[s->count]), 0);
    s->place[s->count] = web_places_take(&s->places, s->ends[s->count][0], now_ms);
    s->count++;
}

static bool
was_sent_away(const struct scene *s, size_t i)
{
    char byte;

    return recv(s->ends[i][1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void
leave(struct scene *s, size_t i)
{
    web_places_leave(&s->places, s->place[i]);
    s->place[i] = NULL;
}

static void
end(struct scene *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->place[i] != NULL)
            leave(s, i);
        (void)close(s->ends[i][0]);
        (void)close(s->ends[i][1]);
    }
    assert_int_equal(s->places.count, 0);
}

static void
web_places_take__all_are_taken__who_came_first_gives_way(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (int i = 0; i < 5; i++)
        come(&s, 10 + i);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(was_sent_away(&s, i), i < 2);
    assert_int_equal(s.places.count, MAX);
    end(&s);
}

static void
web_places_take__one_left__nobody_gives_way(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (int i = 0; i < 3; i++)
        come(&s, 10);
    leave(&s, 1);
    come(&s, 10);
    assert_false(was_sent_away(&s, 0));
    come(&s, 10);
    assert_true(was_sent_away(&s, 0));
    assert_false(was_sent_away(&s, 2));
    end(&s);
}

/* One that gave way keeps its record until it leaves, and does not count. */
static void
web_places_leave__after_it_gave_way__is_fine(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    for (int i = 0; i < 4; i++)
        come(&s, 10);
    leave(&s, 0);
    assert_int_equal(s.places.count, MAX);
    end(&s);
}

static void
web_places_take__some_are_there_for_too_long__they_give_way(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    come(&s, 0);
    come(&s, MAX_MS / 2);
    assert_false(was_sent_away(&s, 0));
    come(&s, MAX_MS);
    assert_false(was_sent_away(&s, 0));
    come(&s, MAX_MS + MAX_MS / 2 + 1);
    assert_true(was_sent_away(&s, 0));
    assert_true(was_sent_away(&s, 1));
    assert_false(was_sent_away(&s, 2));
    end(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(web_places_take__all_are_taken__who_came_first_gives_way),
        cmocka_unit_test(web_places_take__one_left__nobody_gives_way),
        cmocka_unit_test(web_places_leave__after_it_gave_way__is_fine),
        cmocka_unit_test(web_places_take__some_are_there_for_too_long__they_give_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
