/* SPDX-License-Identifier: Apache-2.0 */
/* cred_http.c: what the links of the chain share, see cred_links.h: requests to issuers of keys, tokens in files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "storage/s3/cred_links.h"

#define NEAR_CONNECT_MS 1000 /* where nobody listens behind a link-local address, packets vanish */
#define NEAR_TOTAL_MS   5000
#define FAR_CONNECT_MS  5000
#define FAR_TOTAL_MS    30000
#define TOKEN_MAX       65536

const char *
cred_env(const char *name)
{
    const char *value = getenv(name);

    return grant_has(value) ? value : NULL;
}

int
cred_http_ask(const struct cred_http *r, struct http_answer *answer, struct err *err)
{
    const struct http_options options = {.peer = r->peer,
                                         .ca_option = "AWS_CA_BUNDLE",
                                         .ca_file = r->ca_file != NULL ? r->ca_file : cred_env("AWS_CA_BUNDLE"),
                                         .connect_timeout_ms = r->is_near ? NEAR_CONNECT_MS : FAR_CONNECT_MS,
                                         .total_timeout_ms = r->is_near ? NEAR_TOTAL_MS : FAR_TOTAL_MS,
                                         .direct = r->is_near};
    const struct http_request request = {.method = r->method,
                                         .url = r->url,
                                         .headers = r->headers,
                                         .header_count = r->header_count,
                                         .has_body = r->body != NULL,
                                         .body = r->body,
                                         .body_len = r->body != NULL ? strlen(r->body) : 0,
                                         .fresh = true};
    struct http *http;
    int rc;

    memset(answer, 0, sizeof(*answer));
    http = http_new(&options, err);
    if (http == NULL)
        return -1;
    rc = http_perform(http, &request, answer, err);
    http_free(http);
    return rc;
}

void
cred_answer_fini(struct http_answer *answer)
{
    if (answer->body.data != NULL)
        mem_wipe(answer->body.data, answer->body.len);
    http_answer_fini(answer);
}

int64_t
cred_issuer_now_ms(const struct http_answer *answer)
{
    return answer->date_ms > 0 ? answer->date_ms : clock_wall_ms();
}

int
cred_refused(const char *peer, const struct http_answer *answer, const char *detail, struct err *err)
{
    bool passing = answer->status >= 500 || answer->status == 429 || answer->status == 408;
    char text[256];

    (void)snprintf(text, sizeof(text), "%s", detail);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    (void)err_set(err, passing ? ERR_STORAGE : ERR_STORE_DENIED, "%s answered %d%s%s%s%s", peer, answer->status,
                  *text != '\0' ? " (" : "", text, *text != '\0' ? ")" : "",
                  answer->status >= 300 && answer->status < 400 ? "; redirects are not followed there" : "");
    err->retry_after_ms = passing ? answer->retry_after_ms : 0;
    return -1;
}

int
cred_read_token(const char *path, const char *what, char **token, struct err *err)
{
    struct err cause = ERR_INIT;
    char *text = NULL;
    size_t len = 0, begin;

    *token = NULL;
    if (file_read_all(AT_FDCWD, path, TOKEN_MAX, &text, &len, &cause) < 0)
        return err_set(err, ERR_STORE_DENIED, "the file of %s cannot be read: %s", what, cause.msg);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        text[--len] = '\0';
    begin = strspn(text, " \t\r\n");
    for (const char *c = text + begin; *c != '\0' && begin < len; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            begin = len;
    if (begin < len)
        *token = mem_strdup(text + begin);
    cred_wipe_free(text);
    if (*token == NULL)
        return err_set(err, ERR_STORE_DENIED, "the file of %s, %s, is empty or has more than one line", what, path);
    return 0;
}

void
cred_wipe_free(char *secret)
{
    if (secret != NULL)
        mem_wipe(secret, strlen(secret));
    free(secret);
}
