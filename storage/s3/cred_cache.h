/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cred_cache.h: keys that run out, kept and renewed. It knows nothing of where they come from, nor of any wall clock.
 *
 * They are renewed from 5 minutes before they run out (of those that live for less than 10 minutes: from the half of
 * their life on) by one of the threads that ask, while the others go on with the old ones. Where that fails, the old
 * ones are used until they have run out, which is told once, and it is tried again every 30 s. Once they have run out,
 * those who ask wait for the one that fetches, and share its failure. Thread-safe.
 */
#ifndef STORAGE_S3_CRED_CACHE_H
#define STORAGE_S3_CRED_CACHE_H

#include "storage/s3/grant.h"

#define CRED_CACHE_AHEAD_MS ((int64_t)300000)
/* What is said to have run out as it is handed out is used for so long: the store decides, by its own clock. */
#define CRED_CACHE_GRACE_MS ((int64_t)60000)

struct cred_cache;

/* Get keys from where they are made; never called by two threads at once. GRANT is zeroed, and freed by the cache. */
typedef int cred_fetch_fn(void *cookie, struct grant *grant, struct err *err);

/* NOW_MS: a clock that never jumps and counts suspension (clock_boot_ms()). Never NULL. */
struct cred_cache *cred_cache_new(cred_fetch_fn *fetch, void *cookie, int64_t (*now_ms)(void)) MUST_CHECK;
void cred_cache_free(struct cred_cache *c);

/* A copy that holds for one request; grant_keys_fini() in any case. The fetch's error. */
int cred_cache_get(struct cred_cache *c, struct sigv4_keys *keys, struct err *err) MUST_CHECK;

/* The store does not take USED (any longer): forget them if they are still the ones that are held, and get others. 1:
 * there are others now; 0: the same came again; -1: the fetch's error. */
int cred_cache_renew(struct cred_cache *c, const struct sigv4_keys *used, struct err *err) MUST_CHECK;

/* Where what is held came from (NULL: nothing is held), and how long it lives from now on (GRANT_FOREVER). */
const char *cred_cache_source(struct cred_cache *c, int64_t *lives_ms);

#endif
