/* SPDX-License-Identifier: Apache-2.0 */
/* web_listen.c: see web_listen.h. */
#include "agent/sidecar/web_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"

#define BACKLOG 128
/* Of each connection, in the kernel, which charges them to our memory limit: without a word it would take up to 4 MB
 * for a client that does not read. The kernel doubles these. */
#define SEND_BYTES    (32 << 10)
#define RECEIVE_BYTES (8 << 10)
/* And keeps what was not read of an answer when its connection was closed: for minutes, without a word. */
#define UNREAD_MS 10000u

struct place {
    char host[256]; /* "": all addresses */
    char port[6];
};

static int
bad_form(const char *address, struct err *err)
{
    return err_set(
        err, ERR_USAGE,
        "--listen \"%.100s\" is not ADDRESS:PORT; give 127.0.0.1:8629, [::1]:8629, or :8629 for all addresses",
        address);
}

static int
parse(const char *address, struct place *place, struct err *err)
{
    const char *colon = strrchr(address, ':'), *host = address;
    size_t len = colon != NULL ? (size_t)(colon - address) : 0;
    struct err unused = ERR_INIT;
    uint64_t port = 0;

    if (colon == NULL || strlen(colon + 1) >= sizeof(place->port) || units_parse_u64(colon + 1, &port, &unused) < 0 ||
        port > UINT16_MAX)
        return bad_form(address, err);
    if (len > 0 && host[0] == '[') {
        if (len < 3 || host[len - 1] != ']')
            return bad_form(address, err);
        host++;
        len -= 2;
    } else if (memchr(host, ':', len) != NULL) {
        return bad_form(address, err); /* an IPv6 address without brackets: which colon is the port's? */
    }
    if (len >= sizeof(place->host))
        return bad_form(address, err);
    memcpy(place->host, host, len);
    place->host[len] = '\0';
    memcpy(place->port, colon + 1, strlen(colon + 1) + 1);
    return 0;
}

/* -1 with errno. */
static int
listen_on(const struct addrinfo *ai)
{
    const int on = 1, off = 0, send_bytes = SEND_BYTES, receive_bytes = RECEIVE_BYTES;
    const unsigned unread_ms = UNREAD_MS;
    int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
    int saved;

    if (fd < 0)
        return -1;
    /* Connections of an agent that has just ended do not keep its port; V6ONLY off: "all addresses" is IPv4 too. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (ai->ai_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes)) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unread_ms, sizeof(unread_ms)) == 0 &&
        bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

static unsigned
port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } at = {.in6 = {0}};
    socklen_t len = sizeof(at);

    REQUIRE(getsockname(fd, &at.any, &len) == 0);
    return at.any.sa_family == AF_INET6 ? ntohs(at.in6.sin6_port) : ntohs(at.in4.sin_port);
}

/* All addresses: those of IPv6, which take IPv4 along; where the kernel has no IPv6, those of IPv4. */
static int
listen_everywhere(const struct place *place, int *rc)
{
    static const char *const hosts[] = {"::", "0.0.0.0"};
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST};
    int fd = -1;

    *rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(hosts) && fd < 0; i++) {
        struct addrinfo *found = NULL;

        *rc = getaddrinfo(hosts[i], place->port, &hints, &found);
        if (*rc != 0)
            continue;
        fd = listen_on(found);
        freeaddrinfo(found);
        if (fd < 0 && errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)
            break;
    }
    return fd;
}

static int
listen_at(const struct place *place, int *rc)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int fd = -1;

    *rc = getaddrinfo(place->host, place->port, &hints, &found);
    if (*rc != 0)
        return -1;
    for (const struct addrinfo *ai = found; ai != NULL && fd < 0; ai = ai->ai_next)
        fd = listen_on(ai);
    freeaddrinfo(found);
    return fd;
}

int
web_listen(const char *address, unsigned *port, struct err *err)
{
    struct place place;
    int rc, fd;

    if (parse(address, &place, err) < 0)
        return -1;
    fd = place.host[0] == '\0' ? listen_everywhere(&place, &rc) : listen_at(&place, &rc);
    if (fd < 0 && rc != 0)
        return err_set(err, ERR_USAGE, "--listen %s: the address is not known: %s", address, gai_strerror(rc));
    if (fd < 0)
        return err_sys(err, ERR_USAGE, errno, "--listen %s cannot be listened on%s", address,
                       errno == EADDRINUSE      ? ", another process has this port; stop it or give another port"
                       : errno == EADDRNOTAVAIL ? ", it is no address of this host"
                                                : "");
    *port = port_of(fd);
    return fd;
}
