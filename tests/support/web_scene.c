/* SPDX-License-Identifier: Apache-2.0 */
/* web_scene.c: see web_scene.h. */
#include "tests/support/web_scene.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

#define LARGE_BODY ((size_t)3 << 20)

/* ---- routes for the tests ---- */

static atomic_uint posts;

static void
say_hello(const struct web_request *request, struct web_answer *answer)
{
    char text[512];

    (void)snprintf(text, sizeof(text), "hello path=%s rest=%s limit=%s", request->path, request->rest,
                   request->limit != NULL ? request->limit : "none");
    web_answer_text(answer, 200, text);
}

static void
take_post(const struct web_request *request, struct web_answer *answer)
{
    (void)atomic_fetch_add(&posts, 1);
    web_answer_text(answer, 202, request->body);
    (void)snprintf(answer->location, sizeof(answer->location), "/things/1");
}

static void
send_large(const struct web_request *request, struct web_answer *answer)
{
    static char text[LARGE_BODY]; /* made once: under ThreadSanitizer that takes long */

    (void)request;
    if (text[0] == '\0')
        memset(text, 'x', LARGE_BODY - 1);
    web_answer_text(answer, 200, text);
    answer->policy = "default-src 'self'; frame-ancestors 'none'";
}

/* It fits into what the kernel keeps. */
static void
send_medium(const struct web_request *request, struct web_answer *answer)
{
    static char text[24 << 10];

    (void)request;
    memset(text, 'x', sizeof(text) - 1);
    web_answer_text(answer, 200, text);
}

static void
take_a_while(const struct web_request *request, struct web_answer *answer)
{
    (void)request;
    clock_sleep_ms(300);
    web_answer_text(answer, 200, "after a while");
}

const struct web_route web_scene_routes[] = {
    {"GET", "/", false, say_hello},        {"GET", "/hello", false, say_hello},
    {"GET", "/things/", false, say_hello}, {"POST", "/things", true, take_post},
    {"GET", "/things", false, say_hello},  {"POST", "/open", false, take_post},
    {"GET", "/large", false, send_large},  {"GET", "/medium", false, send_medium},
    {"GET", "/slow", false, take_a_while}, {NULL, NULL, false, NULL},
};

/* ---- the scene ---- */

void
web_scene_write_file(const char *dir, const char *name, const char *text)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct err err = ERR_INIT;

    assert_true(fd >= 0);
    assert_ok(file_write_atomic(fd, name, ".tmp-", text, strlen(text), 0600, &err), &err);
    (void)close(fd);
}

void
web_scene_write_token(const struct web_scene *s, const char *text)
{
    web_scene_write_file(s->dir, "token", text);
}

void
web_scene_start(struct web_scene *s, const char *token_path)
{
    struct err err = ERR_INIT;

    s->web = web_start("127.0.0.1:0", token_path, web_scene_routes, &s->board, &err);
    if (s->web == NULL)
        fail_msg("%s", err.msg);
    s->port = web_port(s->web);
}

int
web_scene_setup(void **state)
{
    struct web_scene *s = mem_new(sizeof(*s));

    (void)signal(SIGPIPE, SIG_IGN);
    test_make_dir(s->dir);
    (void)snprintf(s->token_path, sizeof(s->token_path), "%s/token", s->dir);
    (void)snprintf(s->log_path, sizeof(s->log_path), "%s/log", s->dir);
    web_scene_write_token(s, WEB_SCENE_TOKEN "\n");
    s->log_fd = open(s->log_path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    assert_true(s->log_fd >= 0);
    log_setup(s->log_fd, LOG_TEXT, LOG_DEBUG);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    board_init(&s->board, s->wake_fd);
    atomic_store(&posts, 0);
    web_scene_start(s, s->token_path);
    *state = s;
    return 0;
}

int
web_scene_teardown(void **state)
{
    struct web_scene *s = *state;

    web_stop(s->web);
    board_fini(&s->board);
    (void)close(s->wake_fd);
    log_setup(STDERR_FILENO, LOG_TEXT, LOG_INFO);
    (void)close(s->log_fd);
    test_remove_dir(s->dir);
    free(s);
    return 0;
}

int
web_scene_ask(struct web_scene *s, const char *request)
{
    return raw_ask(s->port, request, s->answer);
}

char *
web_scene_logged(const struct web_scene *s)
{
    struct err err = ERR_INIT;
    char *text = NULL;
    size_t len = 0;

    assert_ok(file_read_all(AT_FDCWD, s->log_path, 1 << 20, &text, &len, &err), &err);
    return text;
}

unsigned
web_scene_count(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        n++;
    return n;
}

unsigned
web_scene_posts(void)
{
    return atomic_load(&posts);
}
