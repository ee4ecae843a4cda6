/* SPDX-License-Identifier: Apache-2.0 */
/*
 * err.h: how a failure travels from where it is seen to where it is told.
 *
 * A function that can fail returns 0 or -1 (or NULL) and takes a `struct err *` last. The pointer is never NULL, is not
 * touched on success, and needs no clean-up; reporting allocates nothing. Callers add what they were doing with
 * err_wrap() on the way up; agent/ logs the sentence once. Every code has one exit status, which users and a
 * CronJob's podFailurePolicy rely on: the table is in README.md and is printed by `remora help`.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum err_code {
    ERR_NONE = 0,
    ERR_INTERNAL,      /* 1: unexpected; a bug or a local system call that should not fail */
    ERR_USAGE,         /* 2: command line or configuration */
    ERR_NOT_FOUND,     /* 3: no such object, backup, repository */
    ERR_REFUSED,       /* 4: not done, to protect data */
    ERR_EXISTS,        /* 4: create-only met an existing object or file */
    ERR_CORRUPT,       /* 5: digest, CRC, structure */
    ERR_STORAGE,       /* 6: storage unreachable or failing */
    ERR_STORE_DENIED,  /* 7: storage refused credentials or permission; never taken for "not found" */
    ERR_SERVER,        /* 8: server unreachable or failing */
    ERR_SERVER_DENIED, /* 9: server refused authentication or a command */
    ERR_NO_SPACE,      /* 10: no space or memory */
    ERR_LOCKED,        /* 11: another run holds the lock, or the store locks the object */
    ERR_INTERRUPTED,   /* 12: SIGTERM or SIGINT, or the reader of stdout went away */
    ERR_UNSUPPORTED,   /* 13: a version, type or `requires` that this build does not know */
    ERR_CODE_COUNT
};

struct err {
    enum err_code code;
    int sys;                /* errno where a system call failed, else 0 */
    int64_t retry_after_ms; /* > 0: who failed asks for that pause before another try; ERR_NEVER_RETRY: another try
                               cannot help; 0: nothing is known. Set by the one who knows, after err_set() */
    char msg[1024];
};

#define ERR_NEVER_RETRY INT64_C(-1)

#define ERR_INIT                                                                                                       \
    {                                                                                                                  \
        ERR_NONE, 0, 0, ""                                                                                             \
    }

/*
 * err_set(err, code, fmt, ...)          Record a failure; replaces what ERR held.
 * err_sys(err, code, errnum, fmt, ...)  The same for a failed system call: appends strerror(ERRNUM) and turns ENOSPC,
 *                                       EDQUOT and ENOMEM into ERR_NO_SPACE whatever CODE says.
 * err_wrap(err, fmt, ...)               Put "what: " in front of the message, keeping the code. Too long a message
 *                                       loses its tail.
 *
 * All three are -1, so that `return err_set(...)` reads well; macros, so that analyzers see it too.
 */
#define err_set(...)  (err_record(__VA_ARGS__), -1)
#define err_sys(...)  (err_record_sys(__VA_ARGS__), -1)
#define err_wrap(...) (err_prefix(__VA_ARGS__), -1)

void err_record(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
void err_record_sys(struct err *err, enum err_code code, int errnum, const char *fmt, ...) PRINTF_LIKE(4, 5);
void err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Back to "no error". */
void err_clear(struct err *err);

/* The process exit status of CODE: 0 to 13, see the list above. */
int err_exit_status(enum err_code code);

/* The reverse, for what another process ended with: the first code with that status, ERR_NONE for 0, ERR_INTERNAL for a
 * status that none has. */
enum err_code err_of_exit_status(int status);

/* A stable lower-case word for CODE ("corrupt"), for JSON output and logs. Never NULL. */
const char *err_name(enum err_code code);

#endif
