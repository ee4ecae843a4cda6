/* SPDX-License-Identifier: Apache-2.0 */
/* web_headers.c: see web_headers.h. libmicrohttpd ends a value at a NUL, and forgets the value of a header that goes on
 * in a second line (both seen in 0.9.75): that cannot be seen here, and does no harm as long as a connection ends with
 * its first request. */
#include "agent/sidecar/web_headers.h"

#include <string.h>
#include <strings.h>

#include "base/units.h"

/* The characters of a name: RFC 9110, 5.6.2. */
static const char name_characters[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* A second one of these would be another opinion. */
static const char *const only_once[] = {MHD_HTTP_HEADER_HOST, MHD_HTTP_HEADER_CONTENT_LENGTH,
                                        MHD_HTTP_HEADER_TRANSFER_ENCODING, MHD_HTTP_HEADER_AUTHORIZATION};

struct survey {
    size_t count;
    bool seen[ARRAY_LEN(only_once)];
    const char *problem; /* NULL: none */
};

static bool
has_control_character(const char *value)
{
    for (; *value != '\0'; value++)
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
            return true;
    return false;
}

static enum MHD_Result
look_at(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct survey *s = cls;

    s->count++;
    if (kind != MHD_HEADER_KIND)
        return MHD_YES;
    if (*name == '\0' || name[strspn(name, name_characters)] != '\0')
        s->problem = "the name of a header has a blank or another character that none has";
    else if (value != NULL && has_control_character(value))
        s->problem = "a header has a control character";
    for (size_t i = 0; i < ARRAY_LEN(only_once); i++) {
        if (strcasecmp(name, only_once[i]) != 0)
            continue;
        if (s->seen[i])
            s->problem = "one of Host, Content-Length, Transfer-Encoding and Authorization is there twice";
        s->seen[i] = true;
    }
    return MHD_YES;
}

static size_t
bytes_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info != NULL ? info->header_size : 0;
}

/* The body must say how long it is, so that one that is too long is refused before it comes. */
static bool
check_body(struct MHD_Connection *connection, struct web_answer *a)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    struct err unused = ERR_INIT;
    uint64_t len = 0;

    if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL)
        web_answer_error(a, 411, "a body must come with its Content-Length");
    else if (length != NULL && units_parse_u64(length, &len, &unused) < 0)
        web_answer_error(a, 400, "the Content-Length is no number");
    else if (len > WEB_BODY_MAX)
        web_answer_error(a, 413, "the body is too long; at most %d bytes are read", WEB_BODY_MAX);
    else
        return true;
    return false;
}

bool
web_headers_check(struct MHD_Connection *connection, struct web_answer *a)
{
    struct survey s = {0};

    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_GET_ARGUMENT_KIND, look_at, &s);
    if (s.count > WEB_HEADERS_MAX || bytes_of(connection) > WEB_HEADER_MAX)
        web_answer_error(a, 431, "at most %zu bytes and %d headers, cookies and arguments are read", WEB_HEADER_MAX,
                         WEB_HEADERS_MAX);
    else if (s.problem != NULL)
        web_answer_error(a, 400, "%s", s.problem);
    else
        return check_body(connection, a);
    return false;
}
