/* SPDX-License-Identifier: Apache-2.0 */
/* grant.c: see grant.h. */
#include "storage/s3/grant.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"

bool
grant_has(const char *text)
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

int
grant_take(struct grant *g, const char *id, const char *secret, const char *token, const char *where, struct err *err)
{
    if (!grant_has(id) && !grant_has(secret))
        return 0;
    if (!grant_has(id) || !grant_has(secret))
        return err_set(err, ERR_USAGE, "%s has half a key only: the %s is missing", where,
                       grant_has(id) ? "secret" : "id of the access key");
    if (!is_clean(id) || !is_clean(secret) || (grant_has(token) && !is_clean(token)))
        return err_set(err, ERR_USAGE, "%s has a key with blanks or control characters in it", where);
    grant_keys_fini(&g->keys);
    g->keys.id = mem_strdup(id);
    g->keys.secret = mem_strdup(secret);
    g->keys.token = grant_has(token) ? mem_strdup(token) : NULL;
    g->lives_ms = GRANT_FOREVER;
    return 1;
}

int
grant_set_expiration(struct grant *g, const char *expiration, int64_t issuer_now_ms, struct err *err)
{
    struct err cause = ERR_INIT;
    int64_t at_ms = 0;

    if (units_parse_time(expiration, &at_ms, &cause) < 0)
        return err_set(err, ERR_STORE_DENIED, "its expiration is no time that is understood");
    g->lives_ms = at_ms - issuer_now_ms;
    return 0;
}

/* jansson frees its strings as they are. */
static void
wipe_strings(json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (json_is_string(value))
            mem_wipe((void *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
}

int
grant_take_json(struct grant *g, const struct grant_json *json, const char *where, struct err *err)
{
    struct err cause = ERR_INIT;
    json_t *object = json_read_object(json->data, json->len, &cause);
    const char *expiration;
    int rc;

    if (object == NULL)
        return err_set(err, ERR_STORE_DENIED, "%s answered, but not with a JSON object", where);
    rc = grant_take(g, json_opt_str(object, "AccessKeyId", NULL), json_opt_str(object, "SecretAccessKey", NULL),
                    json_opt_str(object, json->token_name, NULL), where, &cause);
    expiration = json_opt_str(object, "Expiration", NULL);
    if (rc < 0)
        rc = err_set(err, ERR_STORE_DENIED, "%s", cause.msg);
    else if (rc == 0)
        rc = err_set(err, ERR_STORE_DENIED, "%s answered without a key", where);
    else if (grant_has(expiration) && grant_set_expiration(g, expiration, json->issuer_now_ms, &cause) < 0)
        rc = err_set(err, ERR_STORE_DENIED, "%s answered with a key, but %s", where, cause.msg);
    else
        rc = 0;
    wipe_strings(object);
    json_decref(object);
    return rc;
}

static void
wipe(char **text)
{
    if (*text != NULL)
        mem_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void
grant_keys_fini(struct sigv4_keys *keys)
{
    wipe(&keys->id);
    wipe(&keys->secret);
    wipe(&keys->token);
}

void
grant_fini(struct grant *g)
{
    grant_keys_fini(&g->keys);
    memset(g, 0, sizeof(*g));
}

void
grant_keys_copy(struct sigv4_keys *to, const struct sigv4_keys *from)
{
    to->id = mem_strdup(from->id);
    to->secret = mem_strdup(from->secret);
    to->token = from->token != NULL ? mem_strdup(from->token) : NULL;
}

bool
grant_keys_equal(const struct sigv4_keys *a, const struct sigv4_keys *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->secret, b->secret) == 0 && (a->token == NULL) == (b->token == NULL) &&
           (a->token == NULL || strcmp(a->token, b->token) == 0);
}
