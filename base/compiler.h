/* SPDX-License-Identifier: Apache-2.0 */
/* compiler.h: the few compiler extensions that the code relies on (gcc and clang have them all). */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stdio.h>
#include <stdlib.h>

/* The result must be looked at: every function that can fail carries it. */
#define MUST_CHECK __attribute__((warn_unused_result))
/* printf-like: the format is argument number FMT, its first value number ARGS (both count from 1). */
#define PRINTF_LIKE(FMT, ARGS) __attribute__((format(printf, FMT, ARGS)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Stops the program when COND does not hold. For bugs only, never for input: it stays on in releases, since a backup
 * tool that writes nonsense is worse than one that stops. */
#define REQUIRE(cond)                                                                                                  \
    ((cond) ? (void)0 : (fprintf(stderr, "remora: bug at %s:%d: %s\n", __FILE__, __LINE__, #cond), abort()))

#endif
