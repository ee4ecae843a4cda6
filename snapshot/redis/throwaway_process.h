/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throwaway_process.h: the process of a throw-away server: started, heard, ended. Knows nothing of what it serves.
 *
 * It never outlives us: the kernel kills it with the thread that started it, so that thread must be one that lives as
 * long as the server is wanted. It gets none of our environment but PATH and LD_LIBRARY_PATH, and none of our files.
 * When memory runs out, it is the one that the kernel ends. One thread.
 */
#ifndef SNAPSHOT_REDIS_THROWAWAY_PROCESS_H
#define SNAPSHOT_REDIS_THROWAWAY_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define THROWAWAY_TAIL_BYTES 65536

struct throwaway_process {
    pid_t pid;                           /* 0: none */
    int log_fd;                          /* what it writes, to be read here */
    bool ended;                          /* a zombie, or nothing at all */
    int status;                          /* waitpid()'s, once it has ended */
    size_t tail_len;                     /* of what it wrote last */
    char tail[THROWAWAY_TAIL_BYTES + 1]; /* NUL-terminated; NULs in it became '?' */
};

/* Run ARGV (its first word an absolute path) in the folder FOLDER_FD, in a session of its own. ERR_USAGE when the
 * system will not run it, as for a program of another machine. */
int throwaway_process_start(struct throwaway_process *p, const char *const *argv, int folder_fd,
                            struct err *err) MUST_CHECK;

/* Take what it wrote into the tail; does it still run? To be called often: what does not fit the pipe is lost. */
bool throwaway_process_runs(struct throwaway_process *p);

/* Wait up to WAIT_MS for its own end, then SIGTERM, and, once that much time has passed again, SIGKILL to it and to all
 * that it started. Fine on a zeroed struct, and twice. */
void throwaway_process_end(struct throwaway_process *p, int64_t wait_ms);

#endif
