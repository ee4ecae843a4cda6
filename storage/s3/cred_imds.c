/* SPDX-License-Identifier: Apache-2.0 */
/* cred_imds.c: the instance's metadata service, version 2 only, see cred_links.h. That nobody answers there means that
 * this is no such machine, unless the service was named. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "storage/s3/cred_links.h"
#include "storage/s3/uri.h"

#define PEER        "the instance metadata service"
#define ROLES       "/latest/meta-data/iam/security-credentials/"
#define ROLE_MAX    256
#define TOKEN_LIVES "300" /* seconds; it is used for the two requests that follow at once */

bool
cred_imds_given(const struct cred_scene *scene)
{
    const char *disabled = cred_env("AWS_EC2_METADATA_DISABLED");

    (void)scene;
    return disabled == NULL || strcasecmp(disabled, "true") != 0;
}

static const char *
service(void)
{
    const char *named = cred_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = cred_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (named != NULL)
        return named;
    return mode != NULL && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

static int
ask(const char *method, const char *path, const struct http_header *header, struct http_answer *answer, struct err *err)
{
    const char *at = service();
    size_t len = strlen(at);
    char *url;
    int rc;

    while (len > 0 && at[len - 1] == '/')
        len--;
    url = mem_printf("%.*s%s", (int)len, at, path);
    rc = cred_http_ask(
        &(struct cred_http){
            .peer = PEER, .method = method, .url = url, .headers = header, .header_count = 1, .is_near = true},
        answer, err);
    free(url);
    return rc;
}

/* Of an answer in one line, the text; NULL for what is none. */
static char *
line_of(const struct http_answer *a, size_t max)
{
    size_t len = a->body.len > 0 ? strcspn(a->body.data, "\r\n") : 0;

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)a->body.data[i] <= 0x20 || (unsigned char)a->body.data[i] >= 0x7f)
            return NULL;
    return len > 0 && len <= max ? mem_strndup(a->body.data, len) : NULL;
}

/* 1: *TOKEN; 0: there is no such service here; -1. */
static int
get_token(char **token, struct err *err)
{
    static const struct http_header lives = {"x-aws-ec2-metadata-token-ttl-seconds", TOKEN_LIVES};
    struct http_answer answer;
    int rc = 1;

    if (ask("PUT", "/latest/api/token", &lives, &answer, err) < 0) {
        (void)err_wrap(err, "no token (in a container the hop limit of the service has to be 2 or more)");
        rc = err->code == ERR_STORAGE && cred_env("AWS_EC2_METADATA_SERVICE_ENDPOINT") == NULL ? 0 : -1;
    } else if (answer.status == 403 || answer.status == 404 || answer.status == 405) {
        (void)cred_refused(PEER, &answer, "it is switched off, or is none", err);
        rc = 0;
    } else if (answer.status != 200) {
        rc = cred_refused(PEER, &answer, "", err);
    } else {
        *token = line_of(&answer, HTTP_BODY_MAX);
        rc = *token != NULL ? 1 : err_set(err, ERR_STORE_DENIED, PEER " answered without a token");
    }
    cred_answer_fini(&answer);
    return rc;
}

/* 1: *ROLE; 0: the instance has none; -1. */
static int
get_role(const struct http_header *header, char **role, struct err *err)
{
    struct http_answer answer;
    int rc = 1;

    if (ask("GET", ROLES, header, &answer, err) < 0) {
        rc = -1;
    } else if (answer.status == 404 || (answer.status == 200 && answer.body.len == 0)) {
        (void)err_set(err, ERR_STORE_DENIED, "this instance has no role");
        rc = 0;
    } else if (answer.status != 200) {
        rc = cred_refused(PEER, &answer, "", err);
    } else {
        *role = line_of(&answer, ROLE_MAX);
        rc = *role != NULL ? 1 : err_set(err, ERR_STORE_DENIED, PEER " answered with no name of a role");
    }
    cred_answer_fini(&answer);
    return rc;
}

static int
get_keys(const struct http_header *header, const char *role, struct grant *g, struct err *err)
{
    struct http_answer answer = {0};
    struct buf path;
    int rc = -1;

    buf_init(&path, sizeof(ROLES) + 3 * (size_t)ROLE_MAX);
    if (buf_append(&path, ROLES, strlen(ROLES), err) < 0 || uri_encode(&path, role, false, err) < 0 ||
        ask("GET", path.data, header, &answer, err) < 0)
        goto out;
    if (answer.status != 200)
        (void)cred_refused(PEER, &answer, "", err);
    else
        rc = grant_take_json(g,
                             &(struct grant_json){.data = answer.body.data,
                                                  .len = answer.body.len,
                                                  .token_name = "Token",
                                                  .issuer_now_ms = cred_issuer_now_ms(&answer)},
                             PEER, err);
out:
    cred_answer_fini(&answer);
    buf_fini(&path);
    return rc < 0 ? -1 : 1;
}

int
cred_imds_ask(const struct cred_scene *scene, struct grant *g, struct err *err)
{
    struct http_header header = {"x-aws-ec2-metadata-token", NULL};
    char *token = NULL, *role = NULL;
    int rc = get_token(&token, err);

    (void)scene;
    header.value = token;
    if (rc == 1)
        rc = get_role(&header, &role, err);
    if (rc == 1)
        rc = get_keys(&header, role, g, err);
    cred_wipe_free(token);
    free(role);
    return rc;
}
