/* SPDX-License-Identifier: Apache-2.0 */
/* cred_container.c: the container's own endpoint (EKS Pod Identity, ECS), see cred_links.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "storage/s3/cred_links.h"

#define PEER     "the container's credentials endpoint"
#define ECS_HOST "http://169.254.170.2"

bool
cred_container_given(const struct cred_scene *scene)
{
    (void)scene;
    return cred_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != NULL ||
           cred_env("AWS_CONTAINER_CREDENTIALS_FULL_URI") != NULL;
}

/* "127.0.0.1", "::1" (without its brackets), "localhost" and what AWS's own agents listen on. */
static bool
is_near_host(const char *host)
{
    static const char *const agents[] = {"169.254.170.2", "169.254.170.23"};
    struct in_addr v4;
    struct in6_addr v6, eks;

    if (strcasecmp(host, "localhost") == 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(agents); i++)
        if (strcmp(host, agents[i]) == 0)
            return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return false;
    REQUIRE(inet_pton(AF_INET6, "fd00:ec2::23", &eks) == 1);
    return IN6_IS_ADDR_LOOPBACK(&v6) || memcmp(&v6, &eks, sizeof(v6)) == 0;
}

/* The host of an http URL, without brackets and port, into HOST; false where any parser might see another one. */
static bool
host_of(const char *url, char host[64])
{
    const char *begin = url + strlen("http://"), *end;
    size_t whole = strcspn(begin, "/?#"), len;

    if (memchr(begin, '@', whole) != NULL || memchr(begin, '\\', whole) != NULL)
        return false;
    begin += *begin == '[';
    len = strcspn(begin, begin[-1] == '[' ? "]/" : ":/?#");
    end = begin + len + (begin[-1] == '[' && begin[len] == ']');
    if (len == 0 || len >= 64 || (*end != '\0' && strchr(":/?#", *end) == NULL))
        return false;
    memcpy(host, begin, len);
    host[len] = '\0';
    return true;
}

bool
cred_container_url_allowed(const char *url)
{
    char host[64];

    if (strncasecmp(url, "https://", 8) == 0)
        return true;
    return strncasecmp(url, "http://", 7) == 0 && host_of(url, host) && is_near_host(host);
}

/* The URL; NULL with ERR. The caller frees. */
static char *
endpoint(struct err *err)
{
    const char *relative = cred_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = cred_env("AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (relative != NULL && relative[0] != '/') {
        (void)err_set(err, ERR_USAGE, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash");
        return NULL;
    }
    if (relative != NULL)
        return mem_printf(ECS_HOST "%s", relative);
    if (!cred_container_url_allowed(full)) {
        (void)err_set(
            err, ERR_USAGE,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is refused: over http, keys are fetched only from this machine "
            "and from 169.254.170.2, 169.254.170.23 and [fd00:ec2::23]");
        return NULL;
    }
    return mem_strdup(full);
}

/* The value of the Authorization header, NULL for none. The file is read each time: it is renewed by others. */
static int
authorization(char **value, struct err *err)
{
    const char *file = cred_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = cred_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");

    *value = NULL;
    if (file != NULL)
        return cred_read_token(file, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", value, err);
    if (token == NULL)
        return 0;
    if (strpbrk(token, "\r\n") != NULL)
        return err_set(err, ERR_USAGE, "AWS_CONTAINER_AUTHORIZATION_TOKEN has more than one line");
    *value = mem_strdup(token);
    return 0;
}

int
cred_container_ask(const struct cred_scene *scene, struct grant *g, struct err *err)
{
    struct http_answer answer = {0};
    struct http_header headers[2] = {{"accept", "application/json"}};
    struct cred_http request = {.peer = PEER, .method = "GET", .headers = headers, .header_count = 1};
    char *url = endpoint(err), *token = NULL;
    int rc = -1;

    (void)scene;
    if (url == NULL || authorization(&token, err) < 0)
        goto out;
    if (token != NULL)
        headers[request.header_count++] = (struct http_header){"authorization", token};
    request.url = url;
    request.is_near = strncasecmp(url, "http://", 7) == 0;
    if (cred_http_ask(&request, &answer, err) < 0)
        goto out;
    if (answer.status != 200) {
        (void)cred_refused(PEER, &answer, "", err);
        goto out;
    }
    rc = grant_take_json(g,
                         &(struct grant_json){.data = answer.body.data,
                                              .len = answer.body.len,
                                              .token_name = "Token",
                                              .issuer_now_ms = cred_issuer_now_ms(&answer)},
                         PEER, err);
out:
    cred_answer_fini(&answer);
    cred_wipe_free(token);
    free(url);
    return rc < 0 ? -1 : 1;
}
