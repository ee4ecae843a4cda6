/* SPDX-License-Identifier: Apache-2.0 */
/* place.c: see place.h. */
#include "storage/s3/place.h"

#include <string.h>

#include "base/mem.h"
#include "storage/s3/uri.h"

#define PATH_MAX_BYTES ((size_t)1 << 16)

/* What an endpoint says, as ranges of its text. */
struct parts {
    bool tls;
    const char *host; /* with the port */
    size_t host_len;
    const char *port; /* NULL: none */
    const char *path; /* "" or from the slash on */
};

static int
split(const char *url, struct parts *p)
{
    size_t name_len;

    if (strncmp(url, "https://", 8) == 0)
        p->tls = true;
    else if (strncmp(url, "http://", 7) == 0)
        p->tls = false;
    else
        return -1;
    p->host = url + (p->tls ? 8 : 7);
    p->host_len = strcspn(p->host, "/?#");
    p->path = p->host + p->host_len;
    if (memchr(p->host, '@', p->host_len) != NULL || strpbrk(p->path, "?#") != NULL)
        return -1;
    name_len = p->host[0] == '[' ? strcspn(p->host, "]") + 1 : strcspn(p->host, ":/");
    if (name_len == 0 || name_len > p->host_len)
        return -1;
    p->port = name_len < p->host_len ? p->host + name_len + 1 : NULL;
    if (name_len < p->host_len && (p->host[name_len] != ':' || name_len + 1 == p->host_len ||
                                   strspn(p->port, "0123456789") != p->host_len - name_len - 1))
        return -1;
    if (p->host[0] != '[' &&
        strspn(p->host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") < name_len)
        return -1;
    /* The usual port is not written into the Host header by libcurl, so it must not be signed either. */
    if (p->port != NULL && p->host_len - name_len - 1 == (p->tls ? 3 : 2) &&
        memcmp(p->port, p->tls ? "443" : "80", p->tls ? 3 : 2) == 0)
        p->host_len = name_len;
    return 0;
}

/* May the name stand in a host name, below one wildcard certificate? */
static bool
is_host_label(const char *bucket)
{
    size_t len = strlen(bucket);

    return len >= 3 && len <= 63 && strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
           bucket[0] != '-' && bucket[len - 1] != '-';
}

static int
check_bucket(const char *bucket, enum s3_addressing addressing, struct err *err)
{
    size_t len = strlen(bucket);

    if (len < 1 || len > 255 ||
        strspn(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != len ||
        strspn(bucket, ".") == len)
        return err_set(err, ERR_USAGE, "\"%.80s\" is no bucket name; they are of letters, digits, dots and dashes",
                       bucket);
    if (addressing == S3_ADDRESSING_VIRTUAL && (strpbrk(bucket, "_ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL || len > 63))
        return err_set(err, ERR_USAGE,
                       "the bucket name %s cannot stand in a host name; use --s3-addressing path for it", bucket);
    return 0;
}

/* The host of AWS's own endpoint. */
static char *
aws_endpoint(const char *region)
{
    return mem_printf("https://s3.%s.amazonaws.com%s", region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

static bool
is_region_name(const char *region)
{
    size_t len = strlen(region);

    return len > 0 && len < 64 && strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

int
s3_place_init(struct s3_place *p, const char *endpoint, const char *region, const char *bucket,
              enum s3_addressing addressing, struct err *err)
{
    struct parts parts = {0};
    bool is_virtual = addressing == S3_ADDRESSING_VIRTUAL;
    char *url = NULL;
    size_t path_len;

    memset(p, 0, sizeof(*p));
    if (check_bucket(bucket, addressing, err) < 0)
        return -1;
    if (endpoint == NULL && !is_region_name(region))
        return err_set(err, ERR_USAGE, "\"%.64s\" is no name of a region", region);
    url = endpoint != NULL ? mem_strdup(endpoint) : aws_endpoint(region);
    if (split(url, &parts) < 0) {
        free(url);
        return err_set(err, ERR_USAGE, "the endpoint is not understood; write http[s]://host[:port], without a user");
    }
    if (endpoint == NULL && addressing == S3_ADDRESSING_AUTO)
        is_virtual = is_host_label(bucket);
    path_len = strlen(parts.path);
    while (path_len > 0 && parts.path[path_len - 1] == '/')
        path_len--;
    p->tls = parts.tls;
    p->bucket = mem_strdup(bucket);
    p->host = mem_printf("%s%s%.*s", is_virtual ? bucket : "", is_virtual ? "." : "", (int)parts.host_len, parts.host);
    p->prefix = mem_printf("%.*s/%s%s", (int)path_len, parts.path, is_virtual ? "" : bucket, is_virtual ? "" : "/");
    free(url);
    return 0;
}

void
s3_place_fini(struct s3_place *p)
{
    free(p->host);
    free(p->prefix);
    free(p->bucket);
    memset(p, 0, sizeof(*p));
}

int
s3_place_path(const struct s3_place *p, const char *key, struct buf *out, struct err *err)
{
    size_t len = strlen(p->prefix);

    if (key == NULL && len > 1)
        len--; /* "/bucket" */
    return buf_append(out, p->prefix, len, err) < 0 || (key != NULL && uri_encode(out, key, true, err) < 0) ? -1 : 0;
}

int
s3_place_follow(struct s3_place *p, const char *location)
{
    struct parts parts = {0};

    if (split(location, &parts) < 0) {
        /* A query or a fragment does not matter here: only the host is taken. */
        char *trimmed = mem_strndup(location, strcspn(location, "?#"));
        int rc = strlen(trimmed) < strlen(location) ? s3_place_follow(p, trimmed) : -1;

        free(trimmed);
        return rc;
    }
    if (p->tls && !parts.tls)
        return -1;
    free(p->host);
    p->host = mem_strndup(parts.host, parts.host_len);
    p->tls = parts.tls;
    return 0;
}
