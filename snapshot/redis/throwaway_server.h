/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throwaway_server.h: a real server, started on a folder of ours to see what it makes of the data there, and gone
 * afterwards. Nobody else can reach it: it listens on a Unix socket in that folder only, with no configuration but what
 * is said here. It never saves by itself, is nobody's replica, and dies with us.
 *
 * One thread, which must be one that lives as long as the server (throwaway_process.h).
 */
#ifndef SNAPSHOT_REDIS_THROWAWAY_SERVER_H
#define SNAPSHOT_REDIS_THROWAWAY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/progress.h"
#include "snapshot/redis/resp.h"

struct throwaway;

struct throwaway_options {
    const char *program;                  /* its absolute path */
    int folder_fd;                        /* where it runs, with what it is to load: ours alone (0700), writable */
    uint64_t databases;                   /* at least so many; never fewer than 16 */
    const char *const *settings;          /* more of its command line, as "--appendonly", "yes", NULL; may be NULL */
    int64_t answer_ms;                    /* how long until its first answer; 0: a minute */
    int64_t stall_ms;                     /* how long loading may stand still; 0: five minutes */
    const struct progress_sink *progress; /* PROGRESS_LOADING, in bytes; may be NULL */
};

/*
 * Start it and wait until it has loaded what is in the folder. Each error has the server's own last words in it:
 * ERR_CORRUPT when it gave up on the data; ERR_UNSUPPORTED when it is too old (or not the right kind) for them, or
 * lacks a module; ERR_NO_SPACE when memory ran out; ERR_SERVER when it ended before it came to the data, does not
 * answer, or stands still; ERR_USAGE when the system does not run the program; ERR_INTERRUPTED. Nothing runs then.
 */
int throwaway_start(const struct throwaway_options *options, struct throwaway **out, struct err *err) MUST_CHECK;

/* A command to it, once it has started; an error reply is a failure. The caller frees the reply. Whether the server
 * ended is part of the error, as above. */
int throwaway_call(struct throwaway *t, const char *const *argv, struct reply **out, struct err *err) MUST_CHECK;

/* "redis 7.0.15", "valkey 8.1.1": by its own INFO. */
const char *throwaway_version(const struct throwaway *t);

/* The last of what it wrote, at most 64 KiB. Valid until the next call here. */
const char *throwaway_log(struct throwaway *t);

/* SHUTDOWN NOSAVE; SIGTERM and SIGKILL where that does not help. What lies in the folder is the caller's to remove.
 * NULL is fine. */
void throwaway_stop(struct throwaway *t);

/* Pure: how a server whose last words are LOG, and that ended with waitpid()'s STATUS, is to be told. BEGAN: it had
 * come as far as its data. Its words are put into ERR. Always -1. */
int throwaway_explain_end(const char *log, int status, bool began, struct err *err);

#endif
