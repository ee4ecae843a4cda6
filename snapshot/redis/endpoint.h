/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint.h: where a server is and as whom to speak to it, from a URL. Pure: no I/O.
 *
 * It holds a secret: endpoint_fini() wipes it, endpoint_describe() leaves it out, and no error here repeats any part of
 * the URL that could be one.
 */
#ifndef SNAPSHOT_REDIS_ENDPOINT_H
#define SNAPSHOT_REDIS_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define ENDPOINT_DEFAULT_PORT 6379

enum endpoint_kind { ENDPOINT_TCP, ENDPOINT_UNIX };

/* What TLS needs to be told; paths of PEM files. NULL: not given. */
struct endpoint_tls {
    const char *ca;   /* whom to trust: a file, or a folder of hashed names; NULL: whom the system trusts */
    const char *cert; /* our certificate and its chain, for a server that wants one; NULL: none */
    const char *key;  /* its key, not encrypted; NULL: in the certificate's file */
    const char
        *server_name; /* the name that the server's certificate must carry, and that is sent to it; NULL: the host */
};

struct endpoint {
    enum endpoint_kind kind;
    char *host;     /* TCP: name or address, an IPv6 address without its brackets; else NULL */
    uint16_t port;  /* TCP */
    char *path;     /* Unix: the socket; else NULL */
    char *user;     /* NULL: the default user */
    char *password; /* NULL: none was given */
    bool tls;       /* rediss:// */
    struct endpoint_tls tls_files;
    char *text; /* what endpoint_describe() returns */
};

/*
 * redis://[user[:password]@]host[:port][/...], the same with rediss:// for TLS, or unix://[user[:password]@]/path,
 * everything percent-decoded; an IPv6 address in brackets. "redis://:password@host" is the default user's password.
 * What follows the port (a database number, as other tools write it) has no meaning for a backup and is skipped.
 *
 * ERR_USAGE for all that is not such a URL; OUT then needs no endpoint_fini().
 */
int endpoint_parse(const char *url, struct endpoint *out, struct err *err) MUST_CHECK;

/* Just where: HOST:PORT, [IPV6 ADDRESS]:PORT, or HOST alone (port 6379). ERR_USAGE for all else, such as a URL or a
 * list: what cannot be a host's name must not be looked up and found to be nobody. TEXT is not repeated. */
int endpoint_parse_host(const char *text, struct endpoint *out, struct err *err) MUST_CHECK;

/* Another server that is spoken to as LIKE is: the same user, password, TLS and its files (whose strings must outlive
 * OUT). LIKE NULL: as nobody, without TLS. HOST is a name or an address, an IPv6 address without brackets. */
void endpoint_init_like(struct endpoint *out, const struct endpoint *like, const char *host, uint16_t port);

/* Use this password (copied; NULL: none), as when it comes from a file and not from the URL. */
void endpoint_set_password(struct endpoint *e, const char *password);

/* Use these files for TLS; the strings must outlive E. ERR_USAGE where they do not fit together: a key without a
 * certificate, or anything for an endpoint without TLS, since whoever names them believes that the connection is
 * encrypted. */
int endpoint_set_tls(struct endpoint *e, const struct endpoint_tls *files, struct err *err) MUST_CHECK;

/* "redis://host:port", "rediss://host:port" or "unix:///path": for messages and manifests, without user and password.
 * Belongs to E. */
const char *endpoint_describe(const struct endpoint *e);

/* Does it name this machine (or this pod) itself: a Unix socket, or a loopback address? */
bool endpoint_is_here(const struct endpoint *e);

/* Wipe the secret and free everything; fine on a zeroed struct, and twice. */
void endpoint_fini(struct endpoint *e);

#endif
