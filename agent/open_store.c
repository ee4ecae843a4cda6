/* SPDX-License-Identifier: Apache-2.0 */
/* open_store.c: see open_store.h. */
#include "agent/open_store.h"

#include <string.h>

#include "storage/store_file.h"
#include "storage/store_readonly.h"

#define FILE_SCHEME "file://"

/* The folder that URL names; NULL with ERR_USAGE. */
static const char *
folder_of(const char *url, struct err *err)
{
    size_t scheme = strcspn(url, ":");
    const char *path;

    if (strncmp(url + scheme, "://", 3) != 0)
        return url;
    if (strncmp(url, "s3://", 5) == 0) {
        (void)err_set(err, ERR_USAGE,
                      "--repo: this build stores in folders only and cannot open s3:// yet; give "
                      "file:///path, or a bare path");
        return NULL;
    }
    if (strncmp(url, FILE_SCHEME, strlen(FILE_SCHEME)) != 0) {
        (void)err_set(err, ERR_USAGE, "--repo: %.*s:// is no kind of repository; give file:///path, or a bare path",
                      (int)(scheme < 32 ? scheme : 32), url);
        return NULL;
    }
    path = url + strlen(FILE_SCHEME);
    if (*path == '/')
        return path;
    (void)err_set(err, ERR_USAGE, "--repo: behind file:// stands an absolute path, as in file:///backups");
    return NULL;
}

struct store *
open_store(const char *url, unsigned flags, struct err *err)
{
    const char *path = folder_of(url, err);
    unsigned how = ((flags & OPEN_STORE_MAKE) != 0 ? STORE_FILE_MAKE_ROOT : 0u) |
                   ((flags & OPEN_STORE_READ_ONLY) != 0 ? STORE_FILE_READ_ONLY : 0u);
    struct store *store;

    if (path == NULL)
        return NULL;
    store = store_file_open(path, how, err);
    if (store != NULL && (flags & OPEN_STORE_READ_ONLY) != 0)
        store = store_readonly_new(store);
    return store;
}
