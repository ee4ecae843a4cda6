/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c: see credentials.h. */
#include "storage/s3/credentials.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "storage/s3/profile.h"

#define FILE_MAX 16384

struct chain {
    const char *access_key_file;
    struct s3_profile profile;
};

static bool
is_given(const char *text)
{
    return text != NULL && *text != '\0';
}

/* An id, a secret or a token goes into a header. */
static bool
is_clean(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

/* Take a key if it is whole. 1: it is; 0: there is none. */
static int
take(struct credentials *c, const char *id, const char *secret, const char *token, const char *where, struct err *err)
{
    if (!is_given(id) && !is_given(secret))
        return 0;
    if (!is_given(id) || !is_given(secret))
        return err_set(err, ERR_USAGE, "%s has half a key only: the %s is missing", where,
                       is_given(id) ? "secret" : "id of the access key");
    if (!is_clean(id) || !is_clean(secret) || (is_given(token) && !is_clean(token)))
        return err_set(err, ERR_USAGE, "%s has a key with blanks or control characters in it", where);
    c->keys.id = mem_strdup(id);
    c->keys.secret = mem_strdup(secret);
    c->keys.token = is_given(token) ? mem_strdup(token) : NULL;
    return 1;
}

/* ---- the chain: 1 found, 0 not here, -1 with an error ---- */

static int
from_file(const struct chain *chain, struct credentials *c, struct err *err)
{
    const char *lines[3] = {"", "", ""};
    struct err cause = ERR_INIT;
    char *text = NULL, *at;
    size_t len = 0;
    int rc;

    if (chain->access_key_file == NULL)
        return 0;
    if (file_read_all(AT_FDCWD, chain->access_key_file, FILE_MAX, &text, &len, &cause) < 0)
        return err_set(err, ERR_USAGE, "the access key file cannot be used: %s", cause.msg);
    at = text;
    for (size_t i = 0; i < ARRAY_LEN(lines) && at != NULL; i++) {
        lines[i] = at;
        at = strchr(at, '\n');
        if (at != NULL)
            *at++ = '\0';
        if (*lines[i] != '\0' && lines[i][strlen(lines[i]) - 1] == '\r')
            text[lines[i] + strlen(lines[i]) - 1 - text] = '\0';
    }
    rc = take(c, lines[0], lines[1], lines[2], "the access key file", err);
    if (rc == 0)
        rc = err_set(err, ERR_USAGE,
                     "the access key file %s is empty; write the id of the key into its first line and "
                     "the secret into its second",
                     chain->access_key_file);
    mem_wipe(text, len);
    free(text);
    return rc;
}

static int
from_environment(const struct chain *chain, struct credentials *c, struct err *err)
{
    (void)chain;
    return take(c, getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN"),
                "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)", err);
}

static int
from_profile(const struct chain *chain, struct credentials *c, struct err *err)
{
    const struct s3_profile *p = &chain->profile;

    return take(c, p->access_key_id, p->secret_access_key, p->session_token, "the profile in AWS's shared files", err);
}

static const struct {
    const char *name;
    int (*find)(const struct chain *chain, struct credentials *c, struct err *err);
} providers[] = {
    {"access key file", from_file},
    {"environment", from_environment},
    {"shared files", from_profile},
};

static int
load_profile(struct chain *chain, struct credentials *c, struct err *err)
{
    const char *name = getenv("AWS_PROFILE");
    struct s3_profile *p = &chain->profile;

    if (s3_profile_load(p, is_given(name) ? name : "default", err) < 0)
        return -1;
    if (is_given(name) && !p->found)
        return err_set(err, ERR_USAGE, "AWS_PROFILE names the profile %.80s, which is in none of AWS's shared files",
                       name);
    c->region = p->region != NULL ? mem_strdup(p->region) : NULL;
    c->endpoint = p->endpoint_url != NULL ? mem_strdup(p->endpoint_url) : NULL;
    return 0;
}

int
credentials_load(const char *access_key_file, struct credentials *c, struct err *err)
{
    struct chain chain = {.access_key_file = access_key_file};
    int rc;

    memset(c, 0, sizeof(*c));
    rc = load_profile(&chain, c, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(providers); i++) {
        rc = providers[i].find(&chain, c, err);
        if (rc > 0)
            c->source = providers[i].name;
    }
    s3_profile_fini(&chain.profile);
    if (rc == 0)
        return err_set(err, ERR_STORE_DENIED,
                       "there is no access key for the store; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                       "AWS_PROFILE, or give --s3-access-key-file");
    return rc > 0 ? 0 : -1;
}

/* The first of the texts that says something. */
static const char *
first_of(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_given(texts[i]))
            return texts[i];
    return NULL;
}

const char *
credentials_endpoint(const struct credentials *c, const char *given)
{
    const char *const all[] = {given, getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL"), c->endpoint};

    return first_of(all, ARRAY_LEN(all));
}

const char *
credentials_region(const struct credentials *c, const char *given)
{
    const char *const all[] = {given, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), c->region, "us-east-1"};

    return first_of(all, ARRAY_LEN(all));
}

static void
wipe(char *text)
{
    if (text != NULL)
        mem_wipe(text, strlen(text));
    free(text);
}

void
credentials_fini(struct credentials *c)
{
    wipe(c->keys.id);
    wipe(c->keys.secret);
    wipe(c->keys.token);
    free(c->region);
    free(c->endpoint);
    memset(c, 0, sizeof(*c));
}
