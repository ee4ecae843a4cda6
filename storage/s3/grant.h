/* SPDX-License-Identifier: Apache-2.0 */
/* grant.h: keys that somebody handed out, how long they live, and who that was. No I/O. */
#ifndef STORAGE_S3_GRANT_H
#define STORAGE_S3_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "storage/s3/sigv4.h"

#define GRANT_FOREVER INT64_MAX

struct grant {
    struct sigv4_keys keys;
    int64_t lives_ms;   /* from the moment it was got on: a span, so that nobody's clock has to be right. Zero or less:
                           it is said to have run out already */
    const char *source; /* a literal: which link of the chain it came from */
};

/* What an issuer answers in JSON. */
struct grant_json {
    const char *data;
    size_t len;
    const char *token_name; /* the member that holds the session token */
    int64_t issuer_now_ms;  /* the issuer's clock: what "Expiration" is compared with */
};

/* Is there a text, with something in it? */
bool grant_has(const char *text);

/* Take a key that lives for ever if it is whole. 1: it is; 0: there is none; -1: ERR_USAGE for half of one, or one that
 * cannot stand in a header. WHERE names the place, for messages. */
int grant_take(struct grant *g, const char *id, const char *secret, const char *token, const char *where,
               struct err *err) MUST_CHECK;

/* Take the keys in JSON; without "Expiration" they live for ever. ERR_STORE_DENIED, which tells nothing of what is in
 * it, for what is none, or is no whole key. */
int grant_take_json(struct grant *g, const struct grant_json *json, const char *where, struct err *err) MUST_CHECK;

/* How long until EXPIRATION (RFC 3339). */
int grant_set_expiration(struct grant *g, const char *expiration, int64_t issuer_now_ms, struct err *err) MUST_CHECK;

/* Wipe and free; fine on a zeroed struct. */
void grant_fini(struct grant *g);
void grant_keys_fini(struct sigv4_keys *keys);

void grant_keys_copy(struct sigv4_keys *to, const struct sigv4_keys *from);
bool grant_keys_equal(const struct sigv4_keys *a, const struct sigv4_keys *b);

#endif
