/* SPDX-License-Identifier: Apache-2.0 */
/* open_store.c: see open_store.h. */
#include "agent/open_store.h"

#include <stdlib.h>
#include <string.h>

#include "storage/store_file.h"
#include "storage/store_meter.h"
#include "storage/store_readonly.h"
#include "storage/store_retry.h"
#include "storage/store_s3.h"
#include "storage/store_tar.h"
#ifdef REMORA_LIBS3
#include "storage/store_s3v2.h"
#endif

#define FILE_SCHEME "file://"
#define S3_SCHEME   "s3://"

/* What all stores of this process were asked. */
static struct store_meter meter = STORE_METER_INIT;

/* The folder that URL names; NULL with ERR_USAGE. */
static const char *
folder_of(const char *url, struct err *err)
{
    size_t scheme = strcspn(url, ":");
    const char *path;

    if (strncmp(url + scheme, "://", 3) != 0)
        return url;
    if (strncmp(url, FILE_SCHEME, strlen(FILE_SCHEME)) != 0) {
        (void)err_set(err, ERR_USAGE,
                      "--repo: %.*s:// is no kind of repository; give file:///path, a bare path, or s3://bucket/prefix",
                      (int)(scheme < 32 ? scheme : 32), url);
        return NULL;
    }
    path = url + strlen(FILE_SCHEME);
    if (*path == '/')
        return path;
    (void)err_set(err, ERR_USAGE, "--repo: behind file:// stands an absolute path, as in file:///backups");
    return NULL;
}

static struct store *
open_file(const char *url, unsigned flags, struct err *err)
{
    const char *path = folder_of(url, err);
    unsigned how = ((flags & OPEN_STORE_MAKE) != 0 ? STORE_FILE_MAKE_ROOT : 0u) |
                   ((flags & OPEN_STORE_READ_ONLY) != 0 ? STORE_FILE_READ_ONLY : 0u);
    struct store *store = path != NULL ? store_file_open(path, how, err) : NULL;

    return store != NULL ? store_meter_new(store, &meter) : NULL;
}

/* The old signature is a part of the build only where libs3 was. */
static struct store *
open_s3v2(const struct store_s3_options *options, struct err *err)
{
#ifdef REMORA_LIBS3
    return store_s3v2_open(options, err);
#else
    (void)options;
    (void)err_set(err, ERR_UNSUPPORTED, "this remora was built without libs3, so it cannot sign with Signature v2");
    return NULL;
#endif
}

static struct s3_object_options
object_options(const struct config *c)
{
    static const enum s3_sse sse[] = {[SSE_NONE] = S3_SSE_NONE,
                                      [SSE_AES256] = S3_SSE_AES256,
                                      [SSE_KMS] = S3_SSE_KMS,
                                      [SSE_CUSTOMER] = S3_SSE_CUSTOMER};
    static const enum s3_lock lock[] = {[OBJECT_LOCK_NONE] = S3_LOCK_NONE,
                                        [OBJECT_LOCK_GOVERNANCE] = S3_LOCK_GOVERNANCE,
                                        [OBJECT_LOCK_COMPLIANCE] = S3_LOCK_COMPLIANCE};

    return (struct s3_object_options){.storage_class = c->s3_storage_class,
                                      .sse = sse[c->s3_sse],
                                      .kms_key = c->s3_sse_kms_key_id,
                                      .customer_key_file = c->s3_sse_customer_key_file,
                                      .lock = lock[c->s3_object_lock],
                                      .lock_for_ms = c->s3_object_lock_for_ms};
}

static struct store *
open_s3(const struct config *c, struct err *err)
{
    static const enum s3_addressing addressing[] = {[ADDRESSING_AUTO] = S3_ADDRESSING_AUTO,
                                                    [ADDRESSING_PATH] = S3_ADDRESSING_PATH,
                                                    [ADDRESSING_VIRTUAL] = S3_ADDRESSING_VIRTUAL};
    const char *bundle = getenv("AWS_CA_BUNDLE");
    const struct store_s3_options options = {.url = c->repo,
                                             .endpoint = c->s3_endpoint,
                                             .region = c->s3_region,
                                             .addressing = addressing[c->s3_addressing],
                                             .access_key_file = c->s3_access_key_file,
                                             .objects = object_options(c),
                                             .http.stall_timeout_ms = c->s3_stall_ms,
                                             .http.ca_file = c->s3_ca != NULL                    ? c->s3_ca
                                                             : bundle != NULL && *bundle != '\0' ? bundle
                                                                                                 : NULL};
    struct store *store = c->s3_signature == SIGNATURE_V2 ? open_s3v2(&options, err) : store_s3_open(&options, err);

    if (store == NULL) {
        (void)err_wrap(err, "--repo");
        return NULL;
    }
    return store_retry_new(store_meter_new(store, &meter),
                           &(struct store_retry_options){.budget_ms = c->retry_for_ms, .meter = &meter});
}

struct store *
open_store(const struct config *config, unsigned flags, struct err *err)
{
    bool is_s3 = strncmp(config->repo, S3_SCHEME, strlen(S3_SCHEME)) == 0;
    struct store *store = is_s3 ? open_s3(config, err) : open_file(config->repo, flags, err);

    if (store != NULL && (flags & OPEN_STORE_READ_ONLY) != 0)
        store = store_readonly_new(store);
    return store;
}

struct store_meter_counts
open_store_counts(void)
{
    return store_meter_read(&meter);
}

int
open_store_sweep(struct store *s, int64_t min_age_ms, uint64_t *removed, struct err *err)
{
    *removed = 0;
    while (s->inner != NULL)
        s = s->inner;
    return strcmp(s->ops->name, "file") == 0 ? store_file_sweep(s, "instances", min_age_ms, removed, err) : 0;
}

struct store *
open_store_tar(const char *path, struct err *err)
{
    struct store *store = store_tar_open(path, err);

    return store != NULL ? store_readonly_new(store) : NULL;
}
