/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.c: see web.h. libmicrohttpd runs one thread, which does all of this but web_start() and web_stop().
 *
 * It calls on_request() when the headers are there (what cannot be read, or is too long, is refused then), for each
 * piece of the body, and at its end; on_completed() once the answer is sent or the connection broke. A small body is
 * read whatever the answer will be: closing a socket with bytes unread resets it, and the answer may be lost.
 */
#include "agent/sidecar/web.h"

#include <linux/sockios.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/sidecar/web_headers.h"
#include "agent/sidecar/web_listen.h"
#include "agent/sidecar/web_places.h"
#include "agent/sidecar/web_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define PLACES_MAX   1000u
#define PLACES_MORE  24u /* for those that have given way and are not gone yet */
#define PLACE_MS     60000
#define TIMEOUT_S    10u
#define WAITING_MAX  ((size_t)32 << 20) /* bytes of answers that were not sent yet */
#define SMALL_ANSWER ((size_t)64 << 10) /* those go out whatever waits */
#define UNREAD_MAX   256u               /* answers that the kernel may hold after their connection's end */
#define UNREAD_MS    10000              /* which it does for so long: web_listen.c */
#define STOP_MS      1000
#define LOG_EVERY_MS 60000

struct web {
    struct MHD_Daemon *daemon;
    const struct web_route *routes;
    struct board *board;
    unsigned port;
    atomic_uint active; /* requests between on_request() and on_completed() */
    /* What follows is the thread's alone. */
    struct web_token *token;
    struct web_places places;
    size_t waiting; /* bytes of answers */
    int64_t unread_since_ms;
    unsigned unread; /* since then */
    int64_t refused_logged_ms;
    uint64_t refused;
};

/* One request on its way. */
struct exchange {
    const struct web_route *route;
    const char *rest;
    size_t answer_len;
    size_t body_len;
    char body[WEB_BODY_MAX + 1];
};

/* ---- answers ---- */

/* What nobody may do with our answers, whoever shows them; and that the connection ends. */
static const char *const always[][2] = {
    {"Cache-Control", "no-store"},      {"X-Content-Type-Options", "nosniff"},           {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"}, {"Cross-Origin-Resource-Policy", "same-origin"}, {"Connection", "close"},
};
static const char nothing_allowed[] = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
    REQUIRE(MHD_add_response_header(response, name, value) == MHD_YES);
}

/* Takes what ANSWER holds. EXTRA is one more header, or NULL. */
static enum MHD_Result
send_answer(struct web *w, struct MHD_Connection *connection, struct exchange *x, struct web_answer *answer,
            const char *const extra[2])
{
    struct MHD_Response *response;
    enum MHD_Result result;
    size_t len;

    if (answer->body.len > SMALL_ANSWER && w->waiting + answer->body.len > WAITING_MAX)
        web_answer_error(answer, 503, "too many answers wait to be read by slow clients; ask again later");
    len = answer->body.len;
    response = MHD_create_response_from_buffer(len, buf_steal(&answer->body), MHD_RESPMEM_MUST_FREE);
    REQUIRE(response != NULL);
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        add_header(response, always[i][0], always[i][1]);
    add_header(response, "Content-Type", answer->content_type);
    add_header(response, "Content-Security-Policy", answer->policy != NULL ? answer->policy : nothing_allowed);
    if (answer->location[0] != '\0')
        add_header(response, "Location", answer->location);
    if (extra != NULL)
        add_header(response, extra[0], extra[1]);
    x->answer_len = len;
    w->waiting += len;
    result = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- what is asked for ---- */

/* Does ROUTE have PATH? *REST is then what is below it. */
static bool
is_below(const struct web_route *route, const char *path, const char **rest)
{
    size_t len = strlen(route->path);

    *rest = "";
    if (len < 2 || route->path[len - 1] != '/')
        return strcmp(route->path, path) == 0;
    *rest = path + len;
    return strncmp(route->path, path, len) == 0 && **rest != '\0';
}

static bool
is_method(const struct web_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* The route, into X; else NULL there, with ALLOWED the methods of what has this path ("": nothing has). */
static void
find_route(const struct web *w, struct exchange *x, const char *method, const char *path, char allowed[64])
{
    const char *rest;

    allowed[0] = '\0';
    for (const struct web_route *r = w->routes; r->method != NULL; r++) {
        size_t used = strlen(allowed);

        if (!is_below(r, path, &rest))
            continue;
        if (is_method(r, method)) {
            x->route = r;
            x->rest = rest;
            return;
        }
        (void)snprintf(allowed + used, 64 - used, "%s%s%s", used > 0 ? ", " : "", r->method,
                       strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
    }
}

/* Somebody tries, or a secret was not brought to all who need it: worth a line now and then, without what was shown. */
static void
log_refused(struct web *w, struct MHD_Connection *connection, const char *path)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char peer[NI_MAXHOST] = "?";
    int64_t now = clock_mono_ms();

    w->refused++;
    if (w->refused_logged_ms != 0 && now - w->refused_logged_ms < LOG_EVERY_MS)
        return;
    if (info != NULL && info->client_addr != NULL)
        (void)getnameinfo(
            info->client_addr,
            info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), peer,
            sizeof(peer), NULL, 0, NI_NUMERICHOST);
    log_warn("a request without the right token was refused", LOG_S("path", path), LOG_S("peer", peer),
             LOG_U("count", w->refused));
    w->refused_logged_ms = now;
    w->refused = 0;
}

/* May it be answered? Else A says why not, and EXTRA is a header that belongs to it. */
static bool
check_token(struct web *w, struct MHD_Connection *connection, const struct exchange *x, struct web_answer *a,
            const char *extra[2])
{
    const char *shown = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

    switch (web_token_check(w->token, shown)) {
    case WEB_TOKEN_RIGHT:
        return true;
    case WEB_TOKEN_NO_FILE:
        web_answer_error(a, 403, "this agent follows no triggers; start it with --token-file to have it do so");
        return false;
    case WEB_TOKEN_UNREADABLE:
        web_answer_error(a, 503, "the agent cannot read its token file at the moment; its log says why");
        return false;
    default:
        log_refused(w, connection, x->route->path);
        extra[0] = MHD_HTTP_HEADER_WWW_AUTHENTICATE;
        extra[1] = "Bearer";
        web_answer_error(a, 401, "this needs the header \"Authorization: Bearer TOKEN\" with the agent's token");
        return false;
    }
}

/* May it be answered, by X's route? Else A says why not, and EXTRA is a header that belongs to it. */
static bool
check_request(struct web *w, struct MHD_Connection *connection, struct exchange *x, const char *method,
              const char *path, struct web_answer *a, const char *extra[2], char allowed[64])
{
    find_route(w, x, method, path, allowed);
    if (x->route == NULL && allowed[0] == '\0') {
        web_answer_error(a, 404, "there is nothing here; see / and /api/v1/status");
        return false;
    }
    if (x->route == NULL) {
        extra[0] = MHD_HTTP_HEADER_ALLOW;
        extra[1] = allowed;
        web_answer_error(a, 405, "this can be asked for by %s only", allowed);
        return false;
    }
    if (x->route->needs_token && !check_token(w, connection, x, a, extra))
        return false;
    if (x->body_len == 0 || strcmp(x->route->method, "POST") == 0)
        return true;
    web_answer_error(a, 413, "a body is read of a POST only");
    return false;
}

static enum MHD_Result
add_to_headers(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct web_headers *headers = cls;

    if (kind == MHD_HEADER_KIND)
        web_headers_add(headers, name, value);
    else
        headers->count++;
    return MHD_YES;
}

/* The headers are there. MHD_YES without an answer: go on. */
static enum MHD_Result
on_headers(struct web *w, struct MHD_Connection *connection, struct exchange *x)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct web_headers headers = {0};
    struct web_answer answer;

    web_answer_init(&answer);
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND,
                                    add_to_headers, &headers);
    if (web_headers_check(&headers, info != NULL ? info->header_size : 0, &answer))
        return MHD_YES;
    return send_answer(w, connection, x, &answer, NULL);
}

/* All of it is there. */
static enum MHD_Result
on_whole(struct web *w, struct MHD_Connection *connection, struct exchange *x, const char *method, const char *path)
{
    const char *extra[2] = {NULL, NULL};
    struct web_answer answer;
    char allowed[64];

    web_answer_init(&answer);
    if (check_request(w, connection, x, method, path, &answer, extra, allowed)) {
        const struct web_request request = {
            .board = w->board,
            .path = path,
            .rest = x->rest,
            .limit = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "limit"),
            .body = x->body,
            .body_len = x->body_len,
        };

        x->route->answer(&request, &answer);
    }
    return send_answer(w, connection, x, &answer, extra[0] != NULL ? extra : NULL);
}

/* ---- libmicrohttpd's callbacks ---- */

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
           const char *data, size_t *len, void **cookie)
{
    struct web *w = cls;
    struct exchange *x = *cookie;

    (void)version;
    if (x == NULL) {
        *cookie = x = mem_new(sizeof(*x));
        (void)atomic_fetch_add(&w->active, 1);
        return on_headers(w, connection, x);
    }
    if (*len == 0)
        return on_whole(w, connection, x, method, url);
    if (*len > WEB_BODY_MAX - x->body_len)
        return MHD_NO; /* more than its Content-Length said */
    memcpy(x->body + x->body_len, data, *len);
    x->body_len += *len;
    *len = 0;
    return MHD_YES;
}

/* What a client has not read of its answer is left to the kernel, which charges it to us: no place stands for it. So
 * those that are too many in a short time are reset instead. */
static void
limit_unread(struct web *w, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const struct linger reset = {.l_onoff = 1};
    int64_t now = clock_mono_ms();
    int unsent = 0;

    if (info == NULL || ioctl(info->connect_fd, SIOCOUTQNSD, &unsent) != 0 || unsent == 0)
        return;
    if (now - w->unread_since_ms > UNREAD_MS) {
        w->unread_since_ms = now;
        w->unread = 0;
    }
    if (++w->unread > UNREAD_MAX)
        (void)setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **cookie, enum MHD_RequestTerminationCode how)
{
    struct web *w = cls;
    struct exchange *x = *cookie;

    (void)how;
    if (x == NULL)
        return;
    limit_unread(w, connection);
    w->waiting -= x->answer_len;
    free(x);
    *cookie = NULL;
    (void)atomic_fetch_sub(&w->active, 1);
}

static void
on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
              enum MHD_ConnectionNotificationCode what)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct web *w = cls;

    if (what == MHD_CONNECTION_NOTIFY_STARTED && info != NULL) {
        *socket_context = web_places_take(&w->places, info->connect_fd, clock_mono_ms());
    } else if (what == MHD_CONNECTION_NOTIFY_CLOSED && *socket_context != NULL) {
        web_places_leave(&w->places, *socket_context);
        *socket_context = NULL;
    }
}

/* Paths are compared as they came: no second way to write one. */
static size_t
leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls, (void)connection;
    return strlen(text);
}

/* ---- start and stop ---- */

/* Connections must not take the descriptors that the agent needs for its work. */
static unsigned
choose_places(void)
{
    const rlim_t wanted = 2 * (PLACES_MAX + PLACES_MORE);
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return PLACES_MAX / 4;
    if (limit.rlim_cur < wanted && limit.rlim_max > limit.rlim_cur) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
            return PLACES_MAX / 4;
    }
    if (limit.rlim_cur >= wanted)
        return PLACES_MAX;
    return limit.rlim_cur > 4 * PLACES_MORE ? (unsigned)(limit.rlim_cur / 2) - PLACES_MORE : PLACES_MORE;
}

/* NULL when it cannot be started. Signals go to other threads. */
static struct MHD_Daemon *
start_daemon(struct web *w, int fd, unsigned places)
{
    struct MHD_Daemon *daemon;
    sigset_t all, before;

    (void)sigfillset(&all);
    REQUIRE(pthread_sigmask(SIG_BLOCK, &all, &before) == 0);
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request, w,
                              MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, places + PLACES_MORE,
                              MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                              WEB_HEADER_POOL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
                              MHD_OPTION_NOTIFY_CONNECTION, on_connection, w, MHD_OPTION_UNESCAPE_CALLBACK,
                              leave_escaped, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    REQUIRE(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return daemon;
}

struct web *
web_start(const char *listen, const char *token_file, const struct web_route *routes, struct board *board,
          struct err *err)
{
    struct web *w = mem_new(sizeof(*w));
    unsigned places;
    int fd;

    w->routes = routes;
    w->board = board;
    w->token = web_token_open(token_file, err);
    if (w->token == NULL)
        goto fail;
    fd = web_listen(listen, &w->port, err);
    if (fd < 0)
        goto fail;
    places = choose_places();
    web_places_init(&w->places, places, PLACE_MS);
    w->daemon = start_daemon(w, fd, places);
    if (w->daemon == NULL) { /* FD may be closed by now, or not: the process ends soon */
        (void)err_set(err, ERR_INTERNAL, "HTTP on %s: the server thread cannot be started", listen);
        goto fail;
    }
    log_info("serving HTTP", LOG_S("listen", listen), LOG_U("port", w->port), LOG_U("connections", places),
             LOG_B("triggers", token_file != NULL));
    return w;
fail:
    web_token_free(w->token);
    free(w);
    return NULL;
}

unsigned
web_port(const struct web *w)
{
    return w->port;
}

void
web_stop(struct web *w)
{
    int64_t end_ms = clock_mono_ms() + STOP_MS;
    int fd;

    if (w == NULL)
        return;
    fd = MHD_quiesce_daemon(w->daemon); /* no new connections */
    while (atomic_load(&w->active) > 0 && clock_mono_ms() < end_ms)
        clock_sleep_ms(10);
    MHD_stop_daemon(w->daemon);
    if (fd >= 0)
        (void)close(fd);
    web_token_free(w->token);
    free(w);
}
