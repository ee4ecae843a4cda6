/* SPDX-License-Identifier: Apache-2.0 */
/* store_mem.h: a store in this process's memory, for tests: real semantics, nothing lasts. Thread-safe. */
#ifndef STORAGE_STORE_MEM_H
#define STORAGE_STORE_MEM_H

#include <stdint.h>

#include "storage/store.h"

/* An empty store with all features. Never NULL; free with store_free(). */
struct store *store_mem_new(void) MUST_CHECK;

/* From now on the store's clock is OFFSET_MS ahead of the wall clock (behind, when negative): what it tells as the time
 * and what later puts are stamped with. S must be a store_mem (not a wrapper around one). */
void store_mem_set_clock(struct store *s, int64_t offset_ms);

#endif
