/* SPDX-License-Identifier: Apache-2.0 */
/* cred_sts.c: roles that AWS's token service (or MinIO's, or Ceph's) hands out, see cred_links.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "storage/s3/cred_links.h"
#include "storage/s3/uri.h"
#include "storage/s3/xml.h"

#define PEER        "the token service (STS)"
#define FORM_MAX    131072
#define SKEW_MS     60000 /* from so much on, a refused signature is made again with the service's time */
#define FORM_HEADER "application/x-www-form-urlencoded; charset=utf-8"

/* ---- where it is ---- */

char *
cred_sts_endpoint(const struct cred_scene *scene, const char **region, bool *is_aws)
{
    const char *const named[] = {cred_env("AWS_ENDPOINT_URL_STS"), cred_env("AWS_ENDPOINT_URL"),
                                 scene->profile.endpoint_url};
    const char *const regions[] = {cred_env("AWS_REGION"), cred_env("AWS_DEFAULT_REGION"), scene->profile.region,
                                   scene->region};
    const char *mode = cred_env("AWS_STS_REGIONAL_ENDPOINTS"), *r = NULL;
    bool legacy = mode != NULL && strcmp(mode, "legacy") == 0;

    for (size_t i = 0; i < ARRAY_LEN(regions) && r == NULL; i++)
        r = grant_has(regions[i]) ? regions[i] : NULL;
    *region = r != NULL ? r : "us-east-1";
    *is_aws = false;
    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        if (grant_has(named[i]))
            return mem_strdup(named[i]);
    *is_aws = true;
    /* The other partitions have no global endpoint. */
    if (r == NULL || (legacy && strncmp(r, "cn-", 3) != 0 && strncmp(r, "us-gov-", 7) != 0)) {
        *region = "us-east-1";
        return mem_strdup("https://sts.amazonaws.com");
    }
    return mem_printf("https://sts.%s.amazonaws.com%s", r, strncmp(r, "cn-", 3) == 0 ? ".cn" : "");
}

/* ---- the answer ---- */

struct reply {
    char *id, *secret, *token, *expiration;
    char code[64], message[200];
};

/* Text of either "…Response/…Result/Credentials/X" or "ErrorResponse/Error/X". */
static int
on_element(const char *path, const char *text, void *cookie, struct err *err)
{
    struct reply *r = cookie;
    const struct {
        const char *end;
        char **to;
    } known[] = {{"Result/Credentials/AccessKeyId", &r->id},
                 {"Result/Credentials/SecretAccessKey", &r->secret},
                 {"Result/Credentials/SessionToken", &r->token},
                 {"Result/Credentials/Expiration", &r->expiration}};
    size_t len = strlen(path);

    (void)err;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        size_t end = strlen(known[i].end);

        if (len > end && strcmp(path + len - end, known[i].end) == 0 && *known[i].to == NULL)
            *known[i].to = mem_strdup(text);
    }
    if (strcmp(path, "ErrorResponse/Error/Code") == 0 || strcmp(path, "Error/Code") == 0)
        (void)snprintf(r->code, sizeof(r->code), "%s", text);
    else if (strcmp(path, "ErrorResponse/Error/Message") == 0 || strcmp(path, "Error/Message") == 0)
        (void)snprintf(r->message, sizeof(r->message), "%s", text);
    return 0;
}

static void
reply_fini(struct reply *r)
{
    cred_wipe_free(r->id);
    cred_wipe_free(r->secret);
    cred_wipe_free(r->token);
    free(r->expiration);
}

/* Always -1. */
static int
refused(const struct reply *r, const struct http_answer *answer, struct err *err)
{
    /* With 400, but it will pass. */
    bool passing = strcmp(r->code, "IDPCommunicationError") == 0 || strncmp(r->code, "Throttling", 10) == 0;
    char detail[300];

    (void)snprintf(detail, sizeof(detail), "%s%s%s", r->code, *r->message != '\0' ? ": " : "", r->message);
    (void)cred_refused(PEER, answer, detail, err);
    if (passing)
        err->code = ERR_STORAGE;
    return -1;
}

static int
take_reply(const struct http_answer *answer, struct grant *g, struct err *err)
{
    struct reply r = {0};
    struct err cause = ERR_INIT;
    struct xml *xml = xml_new(on_element, &r);
    bool is_xml = answer->body.len > 0 && xml_feed(xml, answer->body.data, answer->body.len, &cause) == 0 &&
                  xml_finish(xml, &cause) == 0;
    int rc;

    xml_free(xml);
    if (answer->status != 200)
        rc = refused(&r, answer, err);
    else if (!is_xml || grant_take(g, r.id, r.secret, r.token, PEER, &cause) <= 0)
        rc = err_set(err, ERR_STORE_DENIED, PEER " answered, but not with a key");
    else if (r.expiration != NULL && grant_set_expiration(g, r.expiration, cred_issuer_now_ms(answer), &cause) < 0)
        rc = err_set(err, ERR_STORE_DENIED, PEER " answered with a key, but %s", cause.msg);
    else
        rc = 0;
    reply_fini(&r);
    return rc;
}

/* ---- the request ---- */

/* "a=b&c=d"; pairs without a value are left out. */
static int
write_form(struct buf *form, const char *action, const struct cred_role *role, const char *token, struct err *err)
{
    const struct uri_pair all[] = {{"Action", action},
                                   {"Version", "2011-06-15"},
                                   {"RoleArn", role->arn},
                                   {"RoleSessionName", grant_has(role->session_name) ? role->session_name : "remora"},
                                   {"WebIdentityToken", token},
                                   {"ExternalId", role->external_id},
                                   {"DurationSeconds", role->duration}};

    buf_init(form, FORM_MAX);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (!grant_has(all[i].value))
            continue;
        if (buf_printf(form, err, "%s%s=", form->len > 0 ? "&" : "", all[i].name) < 0 ||
            uri_encode(form, all[i].value, false, err) < 0)
            return -1;
    }
    return 0;
}

/* What a request to STS is made of. */
struct call {
    const char *url, *region, *form;
    const char *ca_file;
    const struct sigv4_keys *keys; /* NULL: not signed */
};

/* The authority of an http[s] URL, without the usual port, which libcurl leaves out too; and the path behind it. */
static char *
host_of(const char *url, const char **path)
{
    const char *host = strstr(url, "://");
    const char *port = strncmp(url, "https:", 6) == 0 ? ":443" : ":80";
    size_t len, port_len = strlen(port);

    host = host != NULL ? host + 3 : url;
    len = strcspn(host, "/?#");
    *path = host[len] == '/' ? host + len : "/";
    if (len > port_len && strncmp(host + len - port_len, port, port_len) == 0)
        len -= port_len;
    return mem_strndup(host, len);
}

static int
send_signed(const struct call *c, int64_t now_ms, struct http_answer *answer, struct err *err)
{
    char date[SIGV4_DATE], hash[DIGEST_SHA256_HEX], *authorization = NULL;
    const char *path;
    char *host = host_of(c->url, &path);
    struct http_header headers[5] = {{"content-type", FORM_HEADER}, {"host", host}, {"x-amz-date", date}};
    struct sigv4_header same[4];
    size_t count = 3;
    int rc;

    sigv4_date(now_ms, date);
    digest_sha256_hex(c->form, strlen(c->form), hash);
    if (c->keys->token != NULL)
        headers[count++] = (struct http_header){"x-amz-security-token", c->keys->token};
    for (size_t i = 0; i < count; i++)
        same[i] = (struct sigv4_header){headers[i].name, headers[i].value};
    authorization = sigv4_authorization(&(struct sigv4_request){.method = "POST",
                                                                .path = path,
                                                                .query = "",
                                                                .headers = same,
                                                                .header_count = count,
                                                                .payload_hash = hash,
                                                                .date = date,
                                                                .region = c->region,
                                                                .service = "sts"},
                                        c->keys);
    headers[count++] = (struct http_header){"authorization", authorization};
    rc = cred_http_ask(&(struct cred_http){.peer = PEER,
                                           .method = "POST",
                                           .url = c->url,
                                           .headers = headers,
                                           .header_count = count,
                                           .body = c->form,
                                           .ca_file = c->ca_file},
                       answer, err);
    cred_wipe_free(authorization);
    free(host);
    return rc;
}

static int
send_call(const struct call *c, struct http_answer *answer, struct err *err)
{
    static const struct http_header form = {"content-type", FORM_HEADER};
    int64_t now_ms = clock_wall_ms();

    if (c->keys == NULL)
        return cred_http_ask(&(struct cred_http){.peer = PEER,
                                                 .method = "POST",
                                                 .url = c->url,
                                                 .headers = &form,
                                                 .header_count = 1,
                                                 .body = c->form,
                                                 .ca_file = c->ca_file},
                             answer, err);
    if (send_signed(c, now_ms, answer, err) < 0)
        return -1;
    if ((answer->status == 400 || answer->status == 403) && answer->date_ms > 0 &&
        llabs(answer->date_ms - now_ms) > SKEW_MS) {
        now_ms = answer->date_ms;
        cred_answer_fini(answer);
        return send_signed(c, now_ms, answer, err);
    }
    return 0;
}

static int
assume(const struct cred_scene *scene, struct buf *form, const struct sigv4_keys *keys, struct grant *g,
       struct err *err)
{
    struct call call = {.form = form->data, .keys = keys};
    struct http_answer answer = {0};
    bool is_aws;
    char *url = cred_sts_endpoint(scene, &call.region, &is_aws);
    int rc = -1;

    call.url = url;
    call.ca_file = is_aws ? NULL : scene->ca_file; /* AWS itself is not behind the store's private CA */
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
        (void)err_set(err, ERR_USAGE, "the endpoint of " PEER " is not understood; write http[s]://host[:port]");
    else if (send_call(&call, &answer, err) == 0)
        rc = take_reply(&answer, g, err);
    cred_answer_fini(&answer);
    free(url);
    return rc < 0 ? -1 : 1;
}

static int
assume_and_wipe(const struct cred_scene *scene, struct buf *form, const struct sigv4_keys *keys, struct grant *g,
                struct err *err)
{
    int rc = assume(scene, form, keys, g, err);

    mem_wipe(form->data, form->len);
    buf_fini(form);
    return rc;
}

int
cred_sts_web_identity(const struct cred_scene *scene, const struct cred_role *role, const char *token_file,
                      struct grant *g, struct err *err)
{
    char *token = NULL;
    struct buf form;
    int rc;

    if (!grant_has(role->arn))
        return err_set(err, ERR_USAGE,
                       "there is a web identity token, but no role: AWS_ROLE_ARN (role_arn) is missing");
    if (cred_read_token(token_file, "the web identity token", &token, err) < 0)
        return -1;
    rc = write_form(&form, "AssumeRoleWithWebIdentity", role, token, err);
    cred_wipe_free(token);
    if (rc < 0) {
        buf_fini(&form);
        return -1;
    }
    return assume_and_wipe(scene, &form, NULL, g, err);
}

int
cred_sts_assume_role(const struct cred_scene *scene, const struct cred_role *role, const struct sigv4_keys *keys,
                     struct grant *g, struct err *err)
{
    struct buf form;

    if (write_form(&form, "AssumeRole", role, NULL, err) < 0) {
        buf_fini(&form);
        return -1;
    }
    return assume_and_wipe(scene, &form, keys, g, err);
}

/* ---- the link ---- */

bool
cred_web_given(const struct cred_scene *scene)
{
    (void)scene;
    return cred_env("AWS_WEB_IDENTITY_TOKEN_FILE") != NULL;
}

int
cred_web_ask(const struct cred_scene *scene, struct grant *g, struct err *err)
{
    const struct cred_role role = {.arn = cred_env("AWS_ROLE_ARN"), .session_name = cred_env("AWS_ROLE_SESSION_NAME")};

    return cred_sts_web_identity(scene, &role, cred_env("AWS_WEB_IDENTITY_TOKEN_FILE"), g, err);
}
