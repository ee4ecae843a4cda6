/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h: allocation that cannot overflow and does not fail.
 *
 * Small objects come from here: running out of memory for them ends the process with one sentence and exit status 10,
 * since nothing sensible can be done. Large buffers (whole segments) go through mem_pages(), which reports. A length
 * that was read from a file, an object or a socket must be checked against a limit before it gets here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/err.h"

/* SIZE zeroed bytes; never NULL (SIZE 0 gives one byte). Caller frees with free(). */
void *mem_new(size_t size) MUST_CHECK;

/* N zeroed elements of SIZE bytes, the product checked for overflow; never NULL. */
void *mem_array(size_t n, size_t size) MUST_CHECK;

/* Grow or shrink PTR (NULL is fine) to N elements of SIZE bytes; new bytes are not zeroed; never NULL. */
void *mem_grow(void *ptr, size_t n, size_t size) MUST_CHECK;

/* Copies of a string, of its first LEN bytes, and of a formatted one; never NULL. */
char *mem_strdup(const char *s) MUST_CHECK;
char *mem_strndup(const char *s, size_t len) MUST_CHECK;
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_CHECK;

/* LEN bytes of zeroed pages straight from the kernel: they count in resident memory only once touched, and go back to
 * the kernel when freed. NULL with ERR_NO_SPACE when there are none. */
void *mem_pages(size_t len, struct err *err) MUST_CHECK;
void mem_pages_free(void *pages, size_t len);

/* Overwrite LEN bytes that held a secret, in a way the compiler keeps. NULL is fine with LEN 0. */
void mem_wipe(void *p, size_t len);

#endif
