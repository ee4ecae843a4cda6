/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3_internal.h: what the files of the S3 backend share. */
#ifndef STORAGE_STORE_S3_INTERNAL_H
#define STORAGE_STORE_S3_INTERNAL_H

#include "storage/s3/client.h"
#include "storage/s3/object_rules.h"
#include "storage/store.h"

struct store_s3 {
    struct store store;
    struct s3_client *client;
    char *prefix; /* "" or ending in a slash */
    struct s3_object_rules rules;
};

/* KEY with the prefix; the caller frees. */
char *store_s3_key(const struct store_s3 *s, const char *key);

int store_s3_put(struct store *store, const struct store_put *put, struct err *err) MUST_CHECK;
int store_s3_list(struct store *store, const struct store_list *what, store_list_fn *fn, void *cookie,
                  struct err *err) MUST_CHECK;
int store_s3_remove_many(struct store *store, const char *const *keys, size_t count, struct err *err) MUST_CHECK;

#endif
