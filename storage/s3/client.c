/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: see client.h. */
#include "storage/s3/client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "storage/s3/credentials.h"
#include "storage/s3/failure.h"
#include "storage/s3/grant.h"
#include "storage/s3/sigv4.h"

#define SENDS_MAX     4 /* of one call: the first, and what redirects and the clock ask for */
#define HEADERS_MAX   24
#define URL_MAX_BYTES 16384
#define SKEW_CLEAR_MS 600000 /* such a difference is told from ours even without a code (HEAD has none) */

struct s3_client {
    struct http *http;
    struct credentials *credentials;
    char *bucket;
    pthread_mutex_t mutex; /* guards what follows */
    struct s3_place place;
    char region[64];
    int64_t clock_offset_ms; /* the store's clock less ours */
};

/* ---- settings ---- */

static int
settle(struct s3_client *c, const struct s3_client_options *o, struct err *err)
{
    const char *region = credentials_region(c->credentials, o->region);

    for (const char *p = region; *p != '\0'; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '/' || strlen(region) >= sizeof(c->region))
            return err_set(err, ERR_USAGE, "\"%.64s\" is no name of a region", region);
    }
    (void)snprintf(c->region, sizeof(c->region), "%s", region);
    c->bucket = mem_strdup(o->bucket);
    return s3_place_init(&c->place, credentials_endpoint(c->credentials, o->endpoint), region, o->bucket, o->addressing,
                         err);
}

struct s3_client *
s3_client_new(const struct s3_client_options *options, struct err *err)
{
    struct s3_client *c = mem_new(sizeof(*c));

    REQUIRE(pthread_mutex_init(&c->mutex, NULL) == 0);
    c->credentials = credentials_new(
        &(struct credentials_options){
            .access_key_file = options->access_key_file, .region = options->region, .ca_file = options->http.ca_file},
        err);
    if (c->credentials == NULL || settle(c, options, err) < 0)
        goto fail;
    c->http = http_new(&options->http, err);
    if (c->http == NULL)
        goto fail;
    log_debug("store opened", LOG_S("host", c->place.host), LOG_S("bucket", c->bucket), LOG_S("region", c->region),
              LOG_B("tls", c->place.tls));
    return c;
fail:
    s3_client_free(c);
    return NULL;
}

void
s3_client_free(struct s3_client *c)
{
    if (c == NULL)
        return;
    http_free(c->http);
    credentials_free(c->credentials);
    s3_place_fini(&c->place);
    free(c->bucket);
    (void)pthread_mutex_destroy(&c->mutex);
    free(c);
}

bool
s3_client_is_tls(struct s3_client *c)
{
    bool tls;

    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    tls = c->place.tls;
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    return tls;
}

void
s3_client_describe_credentials(struct s3_client *c, char *text, size_t size)
{
    credentials_describe(c->credentials, text, size);
}

int64_t
s3_client_now_ms(struct s3_client *c)
{
    int64_t now;

    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    now = clock_wall_ms() + c->clock_offset_ms;
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    return now;
}

/* ---- one request ---- */

/* Everything of one request that has to live until it is sent. */
struct prepared {
    struct buf path;
    struct buf query;
    char *host;
    char *url;
    char *authorization;
    char region[64];
    char date[SIGV4_DATE];
    char hash[DIGEST_SHA256_HEX];
    struct http_header headers[HEADERS_MAX];
    size_t header_count;
};

static void
prepared_fini(struct prepared *p)
{
    buf_fini(&p->path);
    buf_fini(&p->query);
    free(p->host);
    free(p->url);
    if (p->authorization != NULL)
        mem_wipe(p->authorization, strlen(p->authorization));
    free(p->authorization);
}

static void
add_header(struct prepared *p, const char *name, const char *value)
{
    REQUIRE(p->header_count < HEADERS_MAX);
    p->headers[p->header_count++] = (struct http_header){name, value};
}

/* The URL, the region and the date, which redirects and the store's clock may change at any time. */
static int
prepare_place(struct s3_client *c, const struct s3_call *call, struct prepared *p, struct err *err)
{
    int rc = -1;

    buf_init(&p->path, URL_MAX_BYTES);
    buf_init(&p->query, URL_MAX_BYTES);
    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    if (s3_place_path(&c->place, call->key, &p->path, err) == 0 &&
        uri_query(&p->query, call->query, call->query_count, err) == 0) {
        bool has_query = p->query.len > 0;

        p->host = mem_strdup(c->place.host);
        p->url = mem_printf("%s://%s%s%s%s", c->place.tls ? "https" : "http", c->place.host, p->path.data,
                            has_query ? "?" : "", has_query ? p->query.data : "");
        memcpy(p->region, c->region, sizeof(p->region));
        sigv4_date(clock_wall_ms() + c->clock_offset_ms, p->date);
        rc = 0;
    }
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    return rc;
}

static void
prepare_signature(const struct s3_call *call, const struct sigv4_keys *keys, struct prepared *p)
{
    struct sigv4_header signed_headers[HEADERS_MAX];
    struct sigv4_request r = {.method = call->method,
                              .path = p->path.data,
                              .payload_hash = p->hash,
                              .headers = signed_headers,
                              .date = p->date,
                              .region = p->region,
                              .service = "s3"};

    r.query = p->query.len > 0 ? p->query.data : "";
    for (size_t i = 0; i < p->header_count; i++)
        signed_headers[i] = (struct sigv4_header){p->headers[i].name, p->headers[i].value};
    r.header_count = p->header_count;
    p->authorization = sigv4_authorization(&r, keys);
    add_header(p, "authorization", p->authorization);
}

static int
prepare(struct s3_client *c, const struct s3_call *call, const struct sigv4_keys *keys, struct prepared *p,
        struct err *err)
{
    memset(p, 0, sizeof(*p));
    if (prepare_place(c, call, p, err) < 0)
        return -1;
    if (call->sha256 != NULL)
        units_hex(call->sha256, DIGEST_SHA256_LEN, p->hash);
    else
        digest_sha256_hex(call->body_len > 0 ? call->body : "", call->body_len, p->hash);
    add_header(p, "host", p->host);
    add_header(p, "x-amz-content-sha256", p->hash);
    add_header(p, "x-amz-date", p->date);
    if (keys->token != NULL)
        add_header(p, "x-amz-security-token", keys->token);
    for (size_t i = 0; i < call->header_count; i++)
        add_header(p, call->headers[i].name, call->headers[i].value);
    prepare_signature(call, keys, p);
    return 0;
}

static int
send_once(struct s3_client *c, const struct s3_call *call, const struct sigv4_keys *keys, struct http_answer *answer,
          struct err *err)
{
    struct prepared p;
    int rc = -1;

    if (prepare(c, call, keys, &p, err) == 0) {
        const struct http_request request = {.method = call->method,
                                             .url = p.url,
                                             .headers = p.headers,
                                             .header_count = p.header_count,
                                             .has_body = call->has_body,
                                             .body = call->body,
                                             .body_len = call->body_len,
                                             .sink = call->sink,
                                             .cookie = call->cookie,
                                             .fresh = call->fresh};

        rc = http_perform(c->http, &request, answer, err);
    }
    prepared_fini(&p);
    return rc;
}

/* ---- what an answer teaches ---- */

/* The store finds our clock wrong: true when its own was learnt. */
static bool
learn_clock(struct s3_client *c, const struct http_answer *a, const struct s3_error *e)
{
    int64_t offset, known;
    bool skewed = strcmp(e->code, "RequestTimeTooSkewed") == 0;
    char text[UNITS_TEXT_MAX];

    if (a->status != 403 || a->date_ms < 0)
        return false;
    offset = a->date_ms - clock_wall_ms();
    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    known = c->clock_offset_ms;
    if (skewed || (e->code[0] == '\0' && llabs(offset - known) > SKEW_CLEAR_MS))
        c->clock_offset_ms = offset;
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    if (!skewed && !(e->code[0] == '\0' && llabs(offset - known) > SKEW_CLEAR_MS))
        return false;
    if (llabs(offset - known) > 1000)
        log_warn("the clock of this machine differs from the store's, whose time is used for it from now on",
                 LOG_S("difference", units_format_duration(llabs(offset), text)), LOG_B("behind", offset > 0));
    return true;
}

/* The bucket is elsewhere: true when we know where. */
static bool
learn_place(struct s3_client *c, const struct http_answer *a, const struct s3_error *e)
{
    bool redirect = a->status == 301 || a->status == 302 || a->status == 307 || a->status == 308;
    const char *region = a->region[0] != '\0' ? a->region : e->region;
    bool learnt = false;

    if (!redirect && a->status != 400)
        return false;
    REQUIRE(pthread_mutex_lock(&c->mutex) == 0);
    if (region[0] != '\0' && strcmp(region, c->region) != 0 && strlen(region) < sizeof(c->region) &&
        strchr(region, '/') == NULL) {
        log_info("the store says that the bucket is in another region", LOG_S("region", region));
        (void)snprintf(c->region, sizeof(c->region), "%s", region);
        learnt = true;
    }
    if (redirect && a->location[0] != '\0')
        learnt = s3_place_follow(&c->place, a->location) == 0;
    REQUIRE(pthread_mutex_unlock(&c->mutex) == 0);
    return learnt;
}

/* The store does not take these keys, or no longer. AWS says so with 400 and with 403, and to a HEAD without a word:
 * then keys that run out are got anew all the same. 1: there are others now; 0; -1: they cannot be had. */
static int
learn_keys(struct s3_client *c, const struct http_answer *a, const struct s3_error *e, const struct sigv4_keys *used,
           struct err *err)
{
    static const char *const codes[] = {"ExpiredToken", "TokenRefreshRequired", "InvalidAccessKeyId", "InvalidToken"};
    bool stale =
        e->code[0] == '\0' && a->body.len == 0 && used->token != NULL && (a->status == 400 || a->status == 403);
    int rc;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        stale = stale || strcmp(e->code, codes[i]) == 0;
    if (!stale)
        return 0;
    rc = credentials_renew(c->credentials, used, err);
    if (rc < 0)
        return err_wrap(err, "the store does not take the access key any longer (%d%s%s)", a->status,
                        e->code[0] != '\0' ? " " : "", e->code);
    if (rc > 0)
        log_info("the store did not take the access key any longer, so another one was got", LOG_S("code", e->code));
    return rc;
}

/* Is the request to be sent again, for what its answer taught? 1; 0; -1. *RENEWED: the keys were, and are no more. */
static int
learn(struct s3_client *c, const struct http_answer *a, const struct s3_error *e, const struct sigv4_keys *used,
      bool *renewed, struct err *err)
{
    int rc;

    if (learn_clock(c, a, e) || learn_place(c, a, e))
        return 1;
    if (*renewed)
        return 0;
    rc = learn_keys(c, a, e, used, err);
    *renewed = rc > 0;
    return rc;
}

/* Send it, and again as long as that helps. 0: there is an answer; -1: there is none, or no keys. */
static int
send_call(struct s3_client *c, const struct s3_call *call, struct http_answer *answer, struct s3_error *error,
          struct err *err)
{
    bool renewed = false;

    memset(answer, 0, sizeof(*answer));
    for (unsigned sent = 1;; sent++) {
        struct sigv4_keys keys = {0};
        int rc = credentials_get(c->credentials, &keys, err), again = 0;

        memset(error, 0, sizeof(*error));
        if (rc == 0)
            rc = send_once(c, call, &keys, answer, err);
        if (rc == 0 && answer->body.len > 0)
            s3_error_parse(error, answer->body.data, answer->body.len);
        if (rc == 0 && sent < SENDS_MAX && (answer->status >= 300 || error->code[0] != '\0'))
            again = learn(c, answer, error, &keys, &renewed, err);
        grant_keys_fini(&keys);
        if (rc < 0 || again <= 0)
            return rc < 0 ? rc : again;
        http_answer_fini(answer);
    }
}

int
s3_client_call(struct s3_client *c, const struct s3_call *call, struct http_answer *answer, struct s3_error *error,
               struct err *err)
{
    struct s3_failure failure = {
        .error = error,
        .bucket = c->bucket,
        .bodiless = strcmp(call->method, "HEAD") == 0,
        .is_removal = strcmp(call->method, "DELETE") == 0 || strcmp(call->method, "POST") == 0};

    if (send_call(c, call, answer, error, err) < 0) {
        answer->status = 0;
        return -1;
    }
    if (answer->status < 300 && error->code[0] == '\0')
        return 0;
    failure.status = answer->status;
    failure.retry_after_ms = answer->retry_after_ms;
    return s3_failure_set(&failure, err);
}
