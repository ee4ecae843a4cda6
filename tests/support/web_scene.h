/* SPDX-License-Identifier: Apache-2.0 */
/* web_scene.h: the HTTP side of the agent over real sockets, with routes for tests, a token, and a log that can be
 * looked at. One in a process at a time. */
#ifndef TESTS_SUPPORT_WEB_SCENE_H
#define TESTS_SUPPORT_WEB_SCENE_H

#include "agent/sidecar/web.h"
#include "tests/support/raw_http.h"

#define WEB_SCENE_TOKEN "0123456789abcdef-token"
#define WEB_SCENE_HOST  "Host: x\r\nConnection: close\r\n" /* headers that every request has */

struct web_scene {
    char dir[256], token_path[300], log_path[300];
    struct board board;
    struct web *web;
    unsigned port;
    int log_fd, wake_fd;
    char answer[RAW_ANSWER_MAX];
};

/* GET /, /hello, /things, /things/...: what was asked for; /large: 3 MB; /medium: 24 kB; /slow: after 300 ms. POST
 * /things (with the token) and /open: 202, with the body. */
extern const struct web_route web_scene_routes[];

/* For cmocka; *STATE is the scene, which serves. */
int web_scene_setup(void **state);
int web_scene_teardown(void **state);

/* Serve (again); TOKEN_PATH NULL: no token. */
void web_scene_start(struct web_scene *s, const char *token_path);

/* Send REQUEST, and read s->answer to its end; its status, 0: there was none. */
int web_scene_ask(struct web_scene *s, const char *request);

/* How many were posted. */
unsigned web_scene_posts(void);

void web_scene_write_file(const char *dir, const char *name, const char *text);
void web_scene_write_token(const struct web_scene *s, const char *text);

/* Everything that was logged; the caller frees. */
char *web_scene_logged(const struct web_scene *s);

/* How often WHAT is in TEXT. */
unsigned web_scene_count(const char *text, const char *what);

#endif
