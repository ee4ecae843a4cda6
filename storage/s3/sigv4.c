/* SPDX-License-Identifier: Apache-2.0 */
/* sigv4.c: see sigv4.h. Names of steps are those of AWS's description of the algorithm. */
#include "storage/s3/sigv4.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/units.h"

#define HEADERS_MAX   32
#define CANONICAL_MAX ((size_t)1 << 20)

void
sigv4_date(int64_t ms, char out[SIGV4_DATE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    REQUIRE(gmtime_r(&seconds, &tm) != NULL && tm.tm_year >= 0 && tm.tm_year < 8100);
    REQUIRE(strftime(out, SIGV4_DATE, "%Y%m%dT%H%M%SZ", &tm) == SIGV4_DATE - 1);
}

/* Everything here is short and made by us: a buffer that is full is a bug. */
static void
add(struct buf *b, const char *text, size_t len)
{
    struct err err = ERR_INIT;

    REQUIRE(buf_append(b, text, len, &err) == 0);
}

static void
add_text(struct buf *b, const char *text)
{
    add(b, text, strlen(text));
}

/* Trimmed, runs of spaces as one. */
static void
add_value(struct buf *b, const char *value)
{
    size_t begin = b->len;

    for (; *value != '\0'; value++) {
        if (*value != ' ' || (b->len > begin && b->data[b->len - 1] != ' '))
            add(b, value, 1);
    }
    while (b->len > begin && b->data[b->len - 1] == ' ')
        b->data[--b->len] = '\0';
}

static void
sort_headers(const struct sigv4_request *r, const struct sigv4_header *sorted[HEADERS_MAX])
{
    REQUIRE(r->header_count <= HEADERS_MAX);
    for (size_t i = 0; i < r->header_count; i++) {
        size_t at = i;

        for (; at > 0 && strcmp(r->headers[i].name, sorted[at - 1]->name) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &r->headers[i];
    }
}

static void
add_signed_names(struct buf *b, const struct sigv4_request *r)
{
    const struct sigv4_header *sorted[HEADERS_MAX];

    sort_headers(r, sorted);
    for (size_t i = 0; i < r->header_count; i++) {
        if (i > 0)
            add(b, ";", 1);
        add_text(b, sorted[i]->name);
    }
}

char *
sigv4_canonical(const struct sigv4_request *r)
{
    const struct sigv4_header *sorted[HEADERS_MAX];
    struct buf b;

    buf_init(&b, CANONICAL_MAX);
    sort_headers(r, sorted);
    add_text(&b, r->method);
    add(&b, "\n", 1);
    add_text(&b, r->path);
    add(&b, "\n", 1);
    add_text(&b, r->query);
    add(&b, "\n", 1);
    for (size_t i = 0; i < r->header_count; i++) {
        add_text(&b, sorted[i]->name);
        add(&b, ":", 1);
        add_value(&b, sorted[i]->value);
        add(&b, "\n", 1);
    }
    add(&b, "\n", 1);
    add_signed_names(&b, r);
    add(&b, "\n", 1);
    add_text(&b, r->payload_hash);
    return buf_steal(&b);
}

static void
signing_key(const struct sigv4_request *r, const struct sigv4_keys *keys, uint8_t key[DIGEST_SHA256_LEN])
{
    const char *const parts[] = {r->region, r->service, "aws4_request"};
    char *first = mem_printf("AWS4%s", keys->secret);

    digest_hmac_sha256(first, strlen(first), r->date, 8, key);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        digest_hmac_sha256(key, DIGEST_SHA256_LEN, parts[i], strlen(parts[i]), key);
    mem_wipe(first, strlen(first));
    free(first);
}

char *
sigv4_authorization(const struct sigv4_request *r, const struct sigv4_keys *keys)
{
    char *canonical = sigv4_canonical(r), *to_sign;
    char *scope = mem_printf("%.8s/%s/%s/aws4_request", r->date, r->region, r->service);
    uint8_t key[DIGEST_SHA256_LEN], mac[DIGEST_SHA256_LEN];
    char hex[DIGEST_SHA256_HEX];
    struct buf b;

    digest_sha256_hex(canonical, strlen(canonical), hex);
    to_sign = mem_printf("AWS4-HMAC-SHA256\n%s\n%s\n%s", r->date, scope, hex);
    signing_key(r, keys, key);
    digest_hmac_sha256(key, sizeof(key), to_sign, strlen(to_sign), mac);
    mem_wipe(key, sizeof(key));
    units_hex(mac, sizeof(mac), hex);

    buf_init(&b, CANONICAL_MAX);
    add_text(&b, "AWS4-HMAC-SHA256 Credential=");
    add_text(&b, keys->id);
    add(&b, "/", 1);
    add_text(&b, scope);
    add_text(&b, ",SignedHeaders=");
    add_signed_names(&b, r);
    add_text(&b, ",Signature=");
    add_text(&b, hex);
    free(canonical);
    free(to_sign);
    free(scope);
    return buf_steal(&b);
}
