/* SPDX-License-Identifier: Apache-2.0 */
/* http.c: see http.h. Handles are kept in a stack, so that the one whose connection was used last is used next. */
#include "storage/s3/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"

#define HANDLES_MAX        128 /* kept; more threads than that open and close */
#define DEFAULT_CONNECT_MS 10000
#define DEFAULT_STALL_MS   60000
#define LOW_SPEED_BYTES    1024 /* a second */
#define SIGNAL_GRACE_MS    5000
#define RETRY_AFTER_MAX_MS 3600000
#define PIECE_BYTES        (256 * 1024L)

struct http {
    char *peer, *ca_option;
    char *ca_file;
    int64_t connect_timeout_ms;
    int64_t stall_timeout_ms;
    bool direct;
    pthread_mutex_t mutex; /* guards the rest */
    CURL *idle[HANDLES_MAX];
    size_t idle_count;
};

/* One request under way. */
struct exchange {
    const struct http_request *request;
    struct http_answer *answer;
    size_t sent;
    bool stopped;         /* by the sink */
    bool after_signal;    /* it began when one was pending */
    int64_t signal_at_ms; /* when one was seen, 0: none */
    bool interrupted;
    long sys; /* errno of a connect() that failed */
};

static void
init_library(void)
{
    REQUIRE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

struct http *
http_new(const struct http_options *options, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http *h;

    if (options->ca_file != NULL && access(options->ca_file, R_OK) != 0) {
        (void)err_sys(err, ERR_USAGE, errno, "the file of CA certificates %s cannot be read", options->ca_file);
        return NULL;
    }
    REQUIRE(pthread_once(&once, init_library) == 0);
    h = mem_new(sizeof(*h));
    h->peer = mem_strdup(options->peer != NULL ? options->peer : "the store");
    h->ca_option = mem_strdup(options->ca_option != NULL ? options->ca_option : "--s3-ca");
    h->ca_file = options->ca_file != NULL ? mem_strdup(options->ca_file) : NULL;
    h->connect_timeout_ms = options->connect_timeout_ms > 0 ? options->connect_timeout_ms : DEFAULT_CONNECT_MS;
    h->stall_timeout_ms = options->stall_timeout_ms > 0 ? options->stall_timeout_ms : DEFAULT_STALL_MS;
    h->direct = options->direct;
    REQUIRE(pthread_mutex_init(&h->mutex, NULL) == 0);
    return h;
}

void
http_free(struct http *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < h->idle_count; i++)
        curl_easy_cleanup(h->idle[i]);
    (void)pthread_mutex_destroy(&h->mutex);
    free(h->peer);
    free(h->ca_option);
    free(h->ca_file);
    free(h);
}

void
http_answer_fini(struct http_answer *answer)
{
    buf_fini(&answer->body);
}

const char *
http_library_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}

/* ---- handles ---- */

static CURL *
handle_take(struct http *h)
{
    CURL *curl = NULL;

    REQUIRE(pthread_mutex_lock(&h->mutex) == 0);
    if (h->idle_count > 0)
        curl = h->idle[--h->idle_count];
    REQUIRE(pthread_mutex_unlock(&h->mutex) == 0);
    if (curl != NULL)
        curl_easy_reset(curl); /* the options go, the connection stays */
    else
        curl = curl_easy_init();
    REQUIRE(curl != NULL);
    return curl;
}

static void
handle_give_back(struct http *h, CURL *curl)
{
    REQUIRE(pthread_mutex_lock(&h->mutex) == 0);
    if (h->idle_count < HANDLES_MAX) {
        h->idle[h->idle_count++] = curl;
        curl = NULL;
    }
    REQUIRE(pthread_mutex_unlock(&h->mutex) == 0);
    if (curl != NULL)
        curl_easy_cleanup(curl);
}

/* ---- the answer ---- */

static void
copy_value(char *to, size_t size, const char *value)
{
    size_t len = strlen(value);

    if (len < size) /* what is too long is of no use cut */
        memcpy(to, value, len + 1);
}

static int64_t
parse_date(const char *value)
{
    time_t t = curl_getdate(value, NULL);

    return t != (time_t)-1 ? (int64_t)t * 1000 : -1;
}

static int64_t
parse_retry_after(const char *value, int64_t date_ms)
{
    struct err unused = ERR_INIT;
    int64_t ms = 0;
    uint64_t seconds = 0;

    if (units_parse_u64(value, &seconds, &unused) == 0)
        ms = seconds < RETRY_AFTER_MAX_MS / 1000 ? (int64_t)seconds * 1000 : RETRY_AFTER_MAX_MS;
    else if (parse_date(value) > 0)
        ms = parse_date(value) - (date_ms > 0 ? date_ms : clock_wall_ms());
    return ms < 0 ? 0 : ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS;
}

/* The number at *TEXT, which END must follow; *TEXT goes behind that. */
static bool
take_number(const char **text, char end, uint64_t *out)
{
    size_t len = strspn(*text, "0123456789");
    char digits[20];
    struct err unused = ERR_INIT;

    if (len >= sizeof(digits) || (*text)[len] != end)
        return false;
    memcpy(digits, *text, len);
    digits[len] = '\0';
    *text += len + (end != '\0' ? 1 : 0);
    return units_parse_u64(digits, out, &unused) == 0;
}

/* "bytes 0-7/9" */
static void
parse_range(struct http_answer *a, const char *value)
{
    a->has_range = strncmp(value, "bytes ", 6) == 0;
    value += a->has_range ? 6 : 0;
    a->has_range = a->has_range && take_number(&value, '-', &a->range_start) &&
                   take_number(&value, '/', &a->range_end) && take_number(&value, '\0', &a->range_total) &&
                   a->range_start <= a->range_end && a->range_end < a->range_total;
}

static void
take_header(struct http_answer *a, const char *name, const char *value)
{
    struct err unused = ERR_INIT;
    uint64_t length = 0;

    if (strcasecmp(name, "date") == 0)
        a->date_ms = parse_date(value);
    else if (strcasecmp(name, "last-modified") == 0)
        a->last_modified_ms = parse_date(value);
    else if (strcasecmp(name, "retry-after") == 0)
        a->retry_after_ms = parse_retry_after(value, a->date_ms);
    else if (strcasecmp(name, "content-length") == 0)
        a->length = units_parse_u64(value, &length, &unused) == 0 && length <= INT64_MAX ? (int64_t)length : -1;
    else if (strcasecmp(name, "content-range") == 0)
        parse_range(a, value);
    else if (strcasecmp(name, "transfer-encoding") == 0)
        a->chunked = strcasecmp(value, "chunked") == 0;
    else if (strcasecmp(name, "location") == 0)
        copy_value(a->location, sizeof(a->location), value);
    else if (strcasecmp(name, "x-amz-bucket-region") == 0)
        copy_value(a->region, sizeof(a->region), value);
    else if (strcasecmp(name, "x-amz-checksum-sha256") == 0)
        copy_value(a->sha256, sizeof(a->sha256), value);
    else if (strcasecmp(name, "x-amz-server-side-encryption-customer-algorithm") == 0)
        copy_value(a->customer_algorithm, sizeof(a->customer_algorithm), value);
}

static void
answer_begin(struct http_answer *a)
{
    buf_fini(&a->body);
    memset(a, 0, sizeof(*a));
    a->date_ms = a->last_modified_ms = a->length = -1;
    buf_init(&a->body, HTTP_BODY_MAX);
}

/* Of "HTTP/1.1 200 OK". */
static int
status_of(const char *line, size_t len)
{
    const char *space = memchr(line, ' ', len);
    size_t left = space != NULL ? len - (size_t)(space - line) : 0;
    int status = 0;

    for (size_t i = 1; i < 4 && i < left && space[i] >= '0' && space[i] <= '9'; i++)
        status = 10 * status + (space[i] - '0');
    return status;
}

/* libcurl's callback: one header line, or the status line, of this answer or of an interim one before it. */
static size_t
on_header(char *line, size_t size, size_t count, void *cookie)
{
    struct exchange *x = cookie;
    size_t len = size * count;
    char text[2048], *colon, *value;

    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        answer_begin(x->answer);
        x->answer->status = status_of(line, len);
        return len;
    }
    if (len >= sizeof(text))
        return len;
    memcpy(text, line, len);
    text[len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    colon = strchr(text, ':');
    if (colon == NULL)
        return len;
    *colon = '\0';
    value = colon + 1;
    value += strspn(value, " \t");
    for (char *end = value + strlen(value); end > value && (end[-1] == ' ' || end[-1] == '\t');)
        *--end = '\0';
    take_header(x->answer, text, value);
    return len;
}

static size_t
on_body(char *data, size_t size, size_t count, void *cookie)
{
    struct exchange *x = cookie;
    struct http_answer *a = x->answer;
    struct err unused = ERR_INIT;
    size_t len = size * count, room = a->body.cap - a->body.len;

    if (x->request->sink != NULL && a->status >= 200 && a->status < 300) {
        x->stopped = !x->request->sink(a, data, len, x->request->cookie);
        return x->stopped ? 0 : len;
    }
    return buf_append(&a->body, data, len < room ? len : room, &unused) == 0 ? len : 0;
}

/* ---- the request ---- */

static size_t
on_read(char *to, size_t size, size_t count, void *cookie)
{
    struct exchange *x = cookie;
    size_t room = size * count, left = x->request->body_len - x->sent;
    size_t len = left < room ? left : room;

    if (len > 0)
        memcpy(to, (const char *)x->request->body + x->sent, len);
    x->sent += len;
    return len;
}

static int
on_seek(void *cookie, curl_off_t offset, int origin)
{
    struct exchange *x = cookie;

    if (origin != SEEK_SET || offset < 0 || (size_t)offset > x->request->body_len)
        return CURL_SEEKFUNC_FAIL;
    x->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* Called about once a second, and with each piece. */
static int
on_progress(void *cookie, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct exchange *x = cookie;

    (void)a, (void)b, (void)c, (void)d;
    if (x->after_signal || !sig_pending())
        return 0;
    if (x->signal_at_ms == 0)
        x->signal_at_ms = clock_mono_ms();
    x->interrupted = clock_mono_ms() - x->signal_at_ms > SIGNAL_GRACE_MS;
    return x->interrupted ? 1 : 0;
}

/* An option that this libcurl refuses is a bug: all of them are older than Debian 12. */
#define SET(option, value) REQUIRE(curl_easy_setopt(curl, option, value) == CURLE_OK)

static struct curl_slist *
header_list(const struct http_request *r)
{
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < r->header_count; i++) {
        char *line = mem_printf("%s: %s", r->headers[i].name, r->headers[i].value);
        struct curl_slist *longer = curl_slist_append(list, line);

        REQUIRE(longer != NULL);
        list = longer;
        mem_wipe(line, strlen(line)); /* a session token or a key may be in it */
        free(line);
    }
    /* Without these two libcurl adds headers of its own, and waits a second for servers that ignore the first. */
    list = curl_slist_append(list, "Expect:");
    REQUIRE(list != NULL);
    list = curl_slist_append(list, "Content-Type:");
    REQUIRE(list != NULL);
    return list;
}

static void
header_list_free(struct curl_slist *list)
{
    for (struct curl_slist *line = list; line != NULL; line = line->next)
        mem_wipe(line->data, strlen(line->data));
    curl_slist_free_all(list);
}

static void
set_limits(CURL *curl, const struct http *h)
{
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)h->connect_timeout_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED_BYTES);
    SET(CURLOPT_LOW_SPEED_TIME, (long)((h->stall_timeout_ms + 999) / 1000));
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_BUFFERSIZE, PIECE_BYTES);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, PIECE_BYTES);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (h->direct)
        SET(CURLOPT_PROXY, ""); /* libcurl asks the environment only where there is no word on it */
    if (h->ca_file != NULL) {
        SET(CURLOPT_CAINFO, h->ca_file);
        SET(CURLOPT_CAPATH, (char *)NULL); /* instead of the system's, not beside them */
    }
}

static void
set_request(CURL *curl, struct exchange *x, struct curl_slist *headers, char *error)
{
    const struct http_request *r = x->request;

    SET(CURLOPT_URL, r->url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_USERAGENT, "remora/" REMORA_VERSION);
    SET(CURLOPT_ERRORBUFFER, error);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, x);
    SET(CURLOPT_FRESH_CONNECT, r->fresh ? 1L : 0L);
    if (r->has_body) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_READFUNCTION, on_read);
        SET(CURLOPT_READDATA, x);
        SET(CURLOPT_SEEKFUNCTION, on_seek);
        SET(CURLOPT_SEEKDATA, x);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body_len);
    }
    if (strcmp(r->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L);
    else
        SET(CURLOPT_CUSTOMREQUEST, r->method);
}

/* Always -1. */
static int
never_trusted(const struct http *h, const char *detail, struct err *err)
{
    if (h->ca_file != NULL)
        (void)err_set(err, ERR_STORAGE, "the certificate of %s is not trusted (%s); check the CA file", h->peer,
                      detail);
    else
        (void)err_set(err, ERR_STORAGE,
                      "the certificate of %s is not trusted (%s); give the CA with %s where it is a private one",
                      h->peer, detail, h->ca_option);
    err->retry_after_ms = ERR_NEVER_RETRY;
    return -1;
}

/* Always -1. */
static int
no_answer(const struct http *h, const struct exchange *x, CURLcode rc, const char *detail, struct err *err)
{
    if (x->interrupted)
        return err_set(err, ERR_INTERRUPTED, "interrupted while %s was asked", h->peer);
    if (*detail == '\0')
        detail = curl_easy_strerror(rc);
    switch (rc) {
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(err, ERR_STORAGE,
                       "%s did not answer in time, or hardly anything came through (%s); check whether it is "
                       "overloaded, and the network",
                       h->peer, detail);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        (void)err_set(err, ERR_STORAGE, "%s cannot be reached (%s); check the endpoint and the network", h->peer,
                      detail);
        err->sys = (int)x->sys;
        return -1;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return err_set(err, ERR_STORAGE, "the connection to %s broke: %s", h->peer, detail);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return never_trusted(h, detail, err);
    case CURLE_UNSUPPORTED_PROTOCOL: /* "HTTP/0.9": left over, on a connection used before, from an earlier answer */
    case CURLE_WEIRD_SERVER_REPLY:
        return err_set(err, ERR_STORAGE, "what %s answered is not HTTP: %s", h->peer, detail);
    case CURLE_URL_MALFORMAT:
        (void)err_set(err, ERR_STORAGE, "the address of %s is not understood: %s", h->peer, detail);
        err->retry_after_ms = ERR_NEVER_RETRY;
        return -1;
    default:
        return err_set(err, ERR_STORAGE, "the request to %s failed: %s", h->peer, detail);
    }
}

int
http_perform(struct http *h, const struct http_request *request, struct http_answer *answer, struct err *err)
{
    struct exchange x = {.request = request, .answer = answer, .after_signal = sig_pending()};
    struct curl_slist *headers = header_list(request);
    char detail[CURL_ERROR_SIZE] = "";
    CURL *curl = handle_take(h);
    CURLcode rc;

    memset(answer, 0, sizeof(*answer));
    answer_begin(answer);
    set_limits(curl, h);
    set_request(curl, &x, headers, detail);
    rc = curl_easy_perform(curl);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &x.sys);
    header_list_free(headers);
    handle_give_back(h, curl);
    if (rc != CURLE_OK && !(rc == CURLE_WRITE_ERROR && x.stopped))
        return no_answer(h, &x, rc, detail, err);
    if (answer->status < 200)
        return err_set(err, ERR_STORAGE, "the answer of %s has no proper status", h->peer);
    return 0;
}
