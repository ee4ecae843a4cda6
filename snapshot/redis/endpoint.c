/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c: see endpoint.h. */
#include "snapshot/redis/endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/units.h"

static const char shape[] =
    "a server URL is redis://[user[:password]@]host[:port] (rediss:// for TLS) or unix://[user[:password]@]/path";

/* The first C in [P, END), or END. */
static const char *
find(const char *p, const char *end, char c)
{
    while (p < end && *p != c)
        p++;
    return p;
}

/* The percent-decoded bytes of [P, END) into *OUT; -1 on a broken escape, or one that stands for a NUL. */
static int
decode(const char *p, const char *end, char **out)
{
    char *text = mem_new((size_t)(end - p) + 1);
    size_t len = 0;

    for (; p < end; p++) {
        uint8_t c = (uint8_t)*p;

        if (*p == '%') {
            if (end - p < 3 || units_unhex(p + 1, 1, &c) < 0 || c == 0) {
                mem_wipe(text, len);
                free(text);
                return -1;
            }
            p += 2;
        }
        text[len++] = (char)c;
    }
    *out = text;
    return 0;
}

/* user[:password] in [P, END). An empty user is the default one. */
static int
parse_user(const char *p, const char *end, struct endpoint *e)
{
    const char *colon = find(p, end, ':');

    if (colon > p && decode(p, colon, &e->user) < 0)
        return -1;
    return colon < end ? decode(colon + 1, end, &e->password) : 0;
}

/* host[:port] in [P, END). False where it is none. */
static bool
parse_host(const char *p, const char *end, struct endpoint *e)
{
    const char *host = p, *host_end, *port;
    uint32_t n = 0;

    if (p < end && *p == '[') {
        host = p + 1;
        host_end = find(host, end, ']');
        if (host_end == end)
            return false;
        port = host_end + 1;
    } else {
        host_end = find(p, end, ':');
        port = host_end;
    }
    if (host_end == host || decode(host, host_end, &e->host) < 0)
        return false;
    e->port = ENDPOINT_DEFAULT_PORT;
    if (port == end)
        return true;
    if (*port++ != ':' || port == end)
        return false;
    for (; port < end && n <= UINT16_MAX; port++) {
        if (*port < '0' || *port > '9')
            return false;
        n = n * 10 + (uint32_t)(*port - '0');
    }
    e->port = (uint16_t)n;
    return n >= 1 && n <= UINT16_MAX;
}

static char *
tcp_text(const struct endpoint *e)
{
    return mem_printf(strchr(e->host, ':') != NULL ? "redis%s://[%s]:%u" : "redis%s://%s:%u", e->tls ? "s" : "",
                      e->host, e->port);
}

static int
parse_tcp(const char *rest, struct endpoint *e, struct err *err)
{
    const char *end = rest + strcspn(rest, "/?#");
    const char *at = memrchr(rest, '@', (size_t)(end - rest));

    if (at == NULL && strchr(end, '@') != NULL)
        return err_set(err, ERR_USAGE,
                       "the server URL has a / ? or # before its @: write %%2F, %%3F or %%23 in a user "
                       "or password");
    if (at != NULL && parse_user(rest, at, e) < 0)
        return err_set(err, ERR_USAGE,
                       "the user or password of the server URL has a %% without two hex digits: write "
                       "%%25 for a %%");
    if (!parse_host(at != NULL ? at + 1 : rest, end, e))
        return err_set(err, ERR_USAGE, "the server URL has no host and port (1 to 65535) that can be used; %s", shape);
    e->text = tcp_text(e);
    return 0;
}

static int
parse_unix(const char *rest, struct endpoint *e, struct err *err)
{
    const char *path = strchr(rest, '/');

    if (path == NULL || (path > rest && path[-1] != '@'))
        return err_set(err, ERR_USAGE, "the server URL has no absolute path of a socket; %s", shape);
    if (path > rest && parse_user(rest, path - 1, e) < 0)
        return err_set(err, ERR_USAGE,
                       "the user or password of the server URL has a %% without two hex digits: write "
                       "%%25 for a %%");
    if (decode(path, path + strlen(path), &e->path) < 0)
        return err_set(err, ERR_USAGE,
                       "the path of the server URL has a %% without two hex digits: write %%25 for a "
                       "%%");
    if (strlen(e->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return err_set(err, ERR_USAGE,
                       "the path of the server's socket, %s, is longer than the %zu bytes that a "
                       "socket's name may have",
                       e->path, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
    e->text = mem_printf("unix://%s", e->path);
    return 0;
}

/* What stands behind PREFIX in URL, or NULL. */
static const char *
after(const char *url, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncasecmp(url, prefix, len) == 0 ? url + len : NULL;
}

int
endpoint_parse(const char *url, struct endpoint *out, struct err *err)
{
    struct endpoint e = {0};
    const char *rest;
    int rc = -1;

    if ((rest = after(url, "redis://")) != NULL) {
        e.kind = ENDPOINT_TCP;
        rc = parse_tcp(rest, &e, err);
    } else if ((rest = after(url, "rediss://")) != NULL) {
        e.tls = true;
        rc = parse_tcp(rest, &e, err);
    } else if ((rest = after(url, "unix://")) != NULL) {
        e.kind = ENDPOINT_UNIX;
        rc = parse_unix(rest, &e, err);
    } else {
        (void)err_set(err, ERR_USAGE, "the server URL does not start with redis://, rediss:// or unix://; %s", shape);
    }
    if (rc < 0)
        endpoint_fini(&e);
    else
        *out = e;
    return rc;
}

/* An IPv6 address, with or without a zone, or what can stand in a DNS name. Digits alone are no name but a forgotten
 * one: the C library would take "6379" for the address 0.0.24.235. */
static bool
is_host(const char *host)
{
    size_t len = strlen(host);
    bool only_digits = true;

    if (strchr(host, ':') != NULL) {
        char address[INET6_ADDRSTRLEN];
        struct in6_addr ignored;
        size_t zone_at = strcspn(host, "%");

        if (zone_at >= sizeof(address) || zone_at + 1 == len)
            return false;
        memcpy(address, host, zone_at);
        address[zone_at] = '\0';
        return inet_pton(AF_INET6, address, &ignored) == 1;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)host[i]) && strchr(".-_", host[i]) == NULL)
            return false;
        only_digits = only_digits && isdigit((unsigned char)host[i]);
    }
    return !only_digits;
}

int
endpoint_parse_host(const char *text, struct endpoint *out, struct err *err)
{
    struct endpoint e = {.kind = ENDPOINT_TCP};

    if (!parse_host(text, text + strlen(text), &e) || !is_host(e.host) ||
        (text[0] == '[' && strchr(e.host, ':') == NULL)) {
        endpoint_fini(&e);
        return err_set(err, ERR_USAGE,
                       "an address is HOST:PORT, [IPV6 ADDRESS]:PORT, or HOST alone for port %d; a URL or a list is "
                       "none",
                       ENDPOINT_DEFAULT_PORT);
    }
    e.text = tcp_text(&e);
    *out = e;
    return 0;
}

void
endpoint_init_like(struct endpoint *out, const struct endpoint *like, const char *host, uint16_t port)
{
    static const struct endpoint nobody;

    if (like == NULL)
        like = &nobody;
    memset(out, 0, sizeof(*out));
    out->kind = ENDPOINT_TCP;
    out->host = mem_strdup(host);
    out->port = port;
    out->user = like->user != NULL ? mem_strdup(like->user) : NULL;
    out->password = like->password != NULL ? mem_strdup(like->password) : NULL;
    out->tls = like->tls;
    out->tls_files = like->tls_files;
    out->text = tcp_text(out);
}

static void
free_secret(char **secret)
{
    if (*secret != NULL)
        mem_wipe(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void
endpoint_set_password(struct endpoint *e, const char *password)
{
    char *copy = password != NULL ? mem_strdup(password) : NULL;

    free_secret(&e->password);
    e->password = copy;
}

int
endpoint_set_tls(struct endpoint *e, const struct endpoint_tls *files, struct err *err)
{
    bool any = files->ca != NULL || files->cert != NULL || files->key != NULL || files->server_name != NULL;

    if (any && !e->tls)
        return err_set(err, ERR_USAGE,
                       "files or a name for TLS are given, but %s is a connection without TLS: write rediss://",
                       endpoint_describe(e));
    if (files->key != NULL && files->cert == NULL)
        return err_set(err, ERR_USAGE, "a key for TLS is given without its certificate");
    e->tls_files = *files;
    return 0;
}

const char *
endpoint_describe(const struct endpoint *e)
{
    return e->text;
}

bool
endpoint_is_here(const struct endpoint *e)
{
    return e->kind == ENDPOINT_UNIX || strcmp(e->host, "localhost") == 0 || strcmp(e->host, "::1") == 0 ||
           strncmp(e->host, "127.", 4) == 0;
}

void
endpoint_fini(struct endpoint *e)
{
    free_secret(&e->password);
    free_secret(&e->user);
    free(e->host);
    free(e->path);
    free(e->text);
    memset(e, 0, sizeof(*e));
}
