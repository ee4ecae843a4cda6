/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c: see mem.h. */
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static _Noreturn void
out_of_memory(void)
{
    static const char msg[] = "remora: out of memory\n";

    (void)!write(STDERR_FILENO, msg, sizeof(msg) - 1);
    _exit(err_exit_status(ERR_NO_SPACE));
}

void *
mem_new(size_t size)
{
    return mem_array(1, size);
}

void *
mem_array(size_t n, size_t size)
{
    void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

    if (p == NULL)
        out_of_memory();
    return p;
}

void *
mem_grow(void *ptr, size_t n, size_t size)
{
    size_t bytes = 0;
    void *p;

    if (__builtin_mul_overflow(n, size, &bytes))
        out_of_memory();
    p = realloc(ptr, bytes > 0 ? bytes : 1);
    if (p == NULL)
        out_of_memory();
    return p;
}

char *
mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

char *
mem_strndup(const char *s, size_t len)
{
    char *copy = mem_new(len + 1);

    memcpy(copy, s, len);
    return copy;
}

char *
mem_printf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0)
        out_of_memory();
    va_end(ap);
    return s;
}

void *
mem_pages(size_t len, struct err *err)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        (void)err_sys(err, ERR_NO_SPACE, errno, "allocate a buffer of %zu bytes", len);
        return NULL;
    }
    return p;
}

void
mem_pages_free(void *pages, size_t len)
{
    if (pages != NULL)
        (void)munmap(pages, len);
}

void
mem_wipe(void *p, size_t len)
{
    if (len > 0)
        explicit_bzero(p, len);
}
