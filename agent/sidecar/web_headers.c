/* SPDX-License-Identifier: Apache-2.0 */
/* web_headers.c: see web_headers.h. libmicrohttpd ends a value at a NUL, and forgets the value of a header that goes on
 * in a second line (both seen in 0.9.75): that cannot be seen here, and does no harm as long as a connection ends with
 * its first request. */
#include "agent/sidecar/web_headers.h"

#include <string.h>
#include <strings.h>

#include "base/compiler.h"
#include "base/units.h"

/* The characters of a name: RFC 9110, 5.6.2. */
static const char name_characters[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* A second one of these would be another opinion. */
static const char *const only_once[] = {"Host", "Content-Length", "Transfer-Encoding", "Authorization"};

static bool
has_control_character(const char *value)
{
    for (; *value != '\0'; value++)
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
            return true;
    return false;
}

void
web_headers_add(struct web_headers *h, const char *name, const char *value)
{
    h->count++;
    value = value != NULL ? value : "";
    if (*name == '\0' || name[strspn(name, name_characters)] != '\0')
        h->problem = "the name of a header has a blank or another character that none has";
    else if (has_control_character(value))
        h->problem = "a header has a control character";
    for (size_t i = 0; i < ARRAY_LEN(only_once); i++) {
        if (strcasecmp(name, only_once[i]) != 0)
            continue;
        if (h->seen[i])
            h->problem = "one of Host, Content-Length, Transfer-Encoding and Authorization is there twice";
        h->seen[i] = true;
    }
    if (strcasecmp(name, "Content-Length") == 0)
        h->length = value;
    h->has_coding |= strcasecmp(name, "Transfer-Encoding") == 0;
}

/* The body must say how long it is, so that one that is too long is refused before it comes. */
static bool
check_body(const struct web_headers *h, struct web_answer *a)
{
    struct err unused = ERR_INIT;
    uint64_t len = 0;

    if (h->has_coding)
        web_answer_error(a, 411, "a body must come with its Content-Length");
    else if (h->length != NULL && units_parse_u64(h->length, &len, &unused) < 0)
        web_answer_error(a, 400, "the Content-Length is no number");
    else if (len > WEB_BODY_MAX)
        web_answer_error(a, 413, "the body is too long; at most %d bytes are read", WEB_BODY_MAX);
    else
        return true;
    return false;
}

bool
web_headers_check(const struct web_headers *h, size_t bytes, struct web_answer *a)
{
    if (h->count > WEB_HEADERS_MAX || bytes > WEB_HEADER_MAX)
        web_answer_error(a, 431, "at most %zu bytes and %d headers, cookies and arguments are read", WEB_HEADER_MAX,
                         WEB_HEADERS_MAX);
    else if (h->problem != NULL)
        web_answer_error(a, 400, "%s", h->problem);
    else
        return check_body(h, a);
    return false;
}
