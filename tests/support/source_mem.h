/* SPDX-License-Identifier: Apache-2.0 */
/* source_mem.h: a source over bytes in memory, which can be made to fail, for tests. */
#ifndef TESTS_SUPPORT_SOURCE_MEM_H
#define TESTS_SUPPORT_SOURCE_MEM_H

#include <stdbool.h>

#include "snapshot/source.h"

struct source_mem {
    struct source source; /* hand this out; set its times and facts before it is used */
    const uint8_t *data;  /* borrowed */
    size_t len, at;
    size_t slice;                             /* at most so many bytes a read; 0: as many as are asked for */
    size_t fail_at;                           /* the read that would pass this byte fails; SIZE_MAX: none */
    enum err_code fail_code;                  /* with this */
    enum err_code confirm_code;               /* ERR_NONE: confirmed */
    void (*before_read)(struct source_mem *); /* called before every read; may be NULL */
    unsigned confirmed;                       /* how often confirm was called */
    uint64_t found_keys;                      /* what it was told */
};

/* All of LEN bytes, no fault. Needs no clean-up. */
void source_mem_init(struct source_mem *s, const void *data, size_t len);

#endif
