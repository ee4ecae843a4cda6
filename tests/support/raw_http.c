/* SPDX-License-Identifier: Apache-2.0 */
/* raw_http.c: see raw_http.h. */
#include "tests/support/raw_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/support/test_common.h"

#define TIME_LIMIT_S 60

int
raw_connect(unsigned port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = TIME_LIMIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

bool
raw_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            fail_msg("the server took nothing for %d s", TIME_LIMIT_S);
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

size_t
raw_read(int fd, char *to, size_t bytes)
{
    size_t got = 0;

    while (got < bytes) {
        ssize_t n = recv(fd, to + got, bytes - got, 0);

        if (n < 0 && errno == EAGAIN)
            fail_msg("the server said nothing for %d s", TIME_LIMIT_S);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    to[got] = '\0';
    return got;
}

int
raw_ask(unsigned port, const char *request, char answer[RAW_ANSWER_MAX])
{
    int fd = raw_connect(port);

    (void)raw_send(fd, request, strlen(request)); /* it may be refused before all of it was sent */
    (void)raw_read(fd, answer, RAW_ANSWER_MAX - 1);
    (void)close(fd);
    return raw_status(answer);
}

int
raw_status(const char *answer)
{
    return strncmp(answer, "HTTP/1.", 7) == 0 && strlen(answer) > 12 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

bool
raw_has_header(const char *answer, const char *line)
{
    const char *end = strstr(answer, "\r\n\r\n"), *at;
    char wanted[512];

    (void)snprintf(wanted, sizeof(wanted), "\r\n%s\r\n", line);
    at = strstr(answer, wanted);
    return at != NULL && end != NULL && at <= end;
}

const char *
raw_body(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n");

    return end != NULL ? end + 4 : "";
}
