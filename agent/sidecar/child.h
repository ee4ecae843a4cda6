/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h: one run of this very program as a child process: how the agent does its work. So a job has a memory of its
 * own, can be stopped like any command, cleans up as a command does, and takes nothing of the agent with it when it
 * dies.
 *
 * The child gets its options by its environment, where no other user reads them; its progress and its log come back
 * over pipes. One thread a child, which must live as long as the child: the kernel kills it with that thread.
 */
#ifndef AGENT_SIDECAR_CHILD_H
#define AGENT_SIDECAR_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/progress.h"
#include "storage/store_meter.h"

#define CHILD_OUT_MAX ((size_t)4 << 20) /* of a result; a longer one is dropped whole: what was done was done */

struct child;

/* What a run left. */
struct child_end {
    int exit_status; /* 128 + N when signal N ended it */
    char *out;       /* its stdout: the JSON result, "" where it was too long; NUL-terminated */
    size_t out_len;
    char error[1024];                  /* the one sentence of its failure; "" */
    struct store_meter_counts storage; /* what it asked of the store, as far as it told */
};

/* Start `remora WORD...` with --json, logging to our stderr, and the environment ENV besides ours ("NAME=VALUE", NULL
 * at the end; NULL: none). It is killed by the kernel when this process dies. */
int child_start(const char *const *words, const char *const *env, struct child **out, struct err *err) MUST_CHECK;

/* The same with another program: for tests. */
int child_start_program(const char *program, const char *const *words, const char *const *env, struct child **out,
                        struct err *err) MUST_CHECK;

/* A descriptor for poll(): readable when child_step() has something to do. */
int child_fd(const struct child *c);

/* Take what has come, without waiting. True once it has ended, all of its output was read, and it was reaped: its own
 * children may live on, and are not waited for. */
bool child_step(struct child *c);

/* What it last told, and when (clock_mono_ms()); its start counts. */
const struct progress *child_progress(const struct child *c, int64_t *told_ms);

void child_terminate(struct child *c); /* SIGTERM: it cleans up and ends with 12 */
void child_kill(struct child *c);      /* SIGKILL */

/* After child_step() said true. */
const struct child_end *child_result(const struct child *c);

/* Reap what ended and is no child of child_start(): in a container the agent is process 1, to which the children of a
 * killed job fall. RUNNING is left alone; NULL: none runs. */
void child_reap_orphans(const struct child *running);

/* Ends it by SIGKILL where it still runs, and waits. NULL is fine. */
void child_free(struct child *c);

#endif
