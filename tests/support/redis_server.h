/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_server.h: a real redis-server for one test: on a free port of 127.0.0.1 and a Unix socket, in a folder of its
 * own. REMORA_TEST_SERVER names another program than the redis-server of PATH. Everything here fails the test when it
 * fails.
 *
 * The server and its children are one process group, which is killed at the end; the server dies with the test program.
 */
#ifndef TESTS_SUPPORT_REDIS_SERVER_H
#define TESTS_SUPPORT_REDIS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "snapshot/redis/endpoint.h"
#include "snapshot/redis/resp.h"

struct redis_server {
    pid_t pid; /* 0: not running */
    uint16_t port;
    char dir[256]; /* its working folder and `dir` */
    bool own_dir;  /* made here, and removed with the server */
    char url[64];  /* redis://127.0.0.1:port */
    char unix_url[300];
    char dump[300]; /* dir/dump.rdb */
};

/* A port of 127.0.0.1 that nobody listens on at this moment. */
uint16_t redis_server_free_port(void);

/* Start it in DIR (NULL: a new folder) and wait until it answers, loading included. ARGS are further arguments
 * ("--appendonly", "yes"), ended by NULL; NULL: none. There are no save points, and AOF is off, unless they say so. */
void redis_server_start(struct redis_server *s, const char *dir, const char *const *args);

/* Kill it and its children, and remove its folder if that was made here. Fine when it never ran, or ended. */
void redis_server_stop(struct redis_server *s);

/* SIGKILL to the server alone, as the OOM killer does it. */
void redis_server_crash(struct redis_server *s);

/* SIGTERM, and wait for its orderly end (it saves if it has save points). The folder stays until redis_server_stop().
 */
void redis_server_shutdown(struct redis_server *s);

/* One command (its words ended by NULL) as the default user; the caller frees the reply, which is no error reply. */
struct reply *redis_server_call(const struct redis_server *s, const char *const *argv);
/* The same where the reply does not matter. */
void redis_server_do(const struct redis_server *s, const char *const *argv);

/* Wait up to 20 s until INFO says FIELD:VALUE. */
void redis_server_wait_for(const struct redis_server *s, const char *field, const char *value);

#endif
