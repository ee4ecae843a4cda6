/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c: see credentials.h. */
#include "storage/s3/credentials.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "storage/s3/cred_cache.h"
#include "storage/s3/cred_links.h"

struct credentials {
    char *access_key_file, *given_region, *ca_file;
    /* What the profile says besides; NULL: nothing. */
    char *region, *endpoint;
    struct cred_cache *cache;
    /* Only by the thread that fetches. */
    const char *answered; /* the name of the link that answered last */
};

static const struct link {
    const char *name;
    bool local; /* it asks nobody: a mistake in it is told at once */
    cred_given_fn *given;
    cred_ask_fn *ask;
} links[] = {
    {"the access key file", true, cred_file_given, cred_file_ask},
    {"the environment", true, cred_env_given, cred_env_ask},
    {"a profile of the shared files", false, cred_profile_given, cred_profile_ask},
    {"web identity", false, cred_web_given, cred_web_ask},
    {"the container's endpoint", false, cred_container_given, cred_container_ask},
    {"instance metadata", false, cred_imds_given, cred_imds_ask},
};

/* ---- the chain ---- */

/* The files are read anew each time: others renew them. */
static int
scene_load(struct cred_scene *scene, const struct credentials *c, struct err *err)
{
    const char *name = cred_env("AWS_PROFILE");

    memset(scene, 0, sizeof(*scene));
    scene->access_key_file = c->access_key_file;
    scene->region = c->given_region;
    scene->ca_file = c->ca_file;
    scene->profile_name = name != NULL ? name : "default";
    if (s3_profile_load(&scene->profile, scene->profile_name, err) < 0)
        return -1;
    if (name != NULL && !scene->profile.found)
        return err_set(err, ERR_USAGE, "AWS_PROFILE names the profile %.80s, which is in none of AWS's shared files",
                       name);
    return 0;
}

/* Always -1. WHY: what the last link said that is not here, "" for nothing. */
static int
nobody(const char *why, struct err *err)
{
    return err_set(err, ERR_STORE_DENIED,
                   "there is no access key for the store%s%s%s; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                   "AWS_PROFILE, or give --s3-access-key-file, or give the pod a role",
                   *why != '\0' ? " (instance metadata: " : "", why, *why != '\0' ? ")" : "");
}

/* Ask one that is configured. As cred_ask_fn. */
static int
ask(struct credentials *c, const struct link *link, const struct cred_scene *scene, struct grant *g, struct err *err)
{
    int rc = link->ask(scene, g, err);

    if (rc == 0 && c->answered == link->name) /* it was here before */
        rc = -1;
    if (rc < 0 && !link->local)
        (void)err_wrap(err, "no access key from %s", link->name);
    if (rc > 0) {
        if (c->answered != link->name)
            log_debug("there is an access key", LOG_S("credentials", link->name));
        c->answered = g->source = link->name;
    }
    return rc;
}

static int
fetch(void *cookie, struct grant *g, struct err *err)
{
    struct credentials *c = cookie;
    struct cred_scene scene;
    struct err why = ERR_INIT;
    int rc = scene_load(&scene, c, &why);

    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(links); i++) {
        if (links[i].given(&scene))
            rc = ask(c, &links[i], &scene, g, &why);
    }
    s3_profile_fini(&scene.profile);
    if (rc < 0)
        *err = why;
    else if (rc == 0)
        rc = nobody(why.msg, err);
    return rc > 0 ? 0 : -1;
}

/* What can be told without asking anybody. */
static int
look_ahead(struct credentials *c, struct err *err)
{
    struct cred_scene scene;
    struct sigv4_keys keys = {0};
    const struct link *first = NULL;
    int rc = scene_load(&scene, c, err);

    for (size_t i = 0; i < ARRAY_LEN(links) && first == NULL; i++)
        first = links[i].given(&scene) ? &links[i] : NULL;
    if (rc == 0) {
        c->region = scene.profile.region != NULL ? mem_strdup(scene.profile.region) : NULL;
        c->endpoint = scene.profile.endpoint_url != NULL ? mem_strdup(scene.profile.endpoint_url) : NULL;
        rc = first != NULL ? 0 : nobody("", err);
    }
    s3_profile_fini(&scene.profile);
    if (rc == 0 && first->local)
        rc = cred_cache_get(c->cache, &keys, err);
    grant_keys_fini(&keys);
    return rc;
}

/* ---- the handle ---- */

struct credentials *
credentials_new(const struct credentials_options *options, struct err *err)
{
    struct credentials *c = mem_new(sizeof(*c));

    c->access_key_file = options->access_key_file != NULL ? mem_strdup(options->access_key_file) : NULL;
    c->given_region = options->region != NULL ? mem_strdup(options->region) : NULL;
    c->ca_file = options->ca_file != NULL ? mem_strdup(options->ca_file) : NULL;
    c->cache = cred_cache_new(fetch, c, clock_boot_ms);
    if (look_ahead(c, err) == 0)
        return c;
    credentials_free(c);
    return NULL;
}

void
credentials_free(struct credentials *c)
{
    if (c == NULL)
        return;
    cred_cache_free(c->cache);
    free(c->access_key_file);
    free(c->given_region);
    free(c->ca_file);
    free(c->region);
    free(c->endpoint);
    free(c);
}

int
credentials_get(struct credentials *c, struct sigv4_keys *keys, struct err *err)
{
    return cred_cache_get(c->cache, keys, err);
}

int
credentials_renew(struct credentials *c, const struct sigv4_keys *used, struct err *err)
{
    return cred_cache_renew(c->cache, used, err);
}

void
credentials_describe(struct credentials *c, char *text, size_t size)
{
    char span[UNITS_TEXT_MAX];
    int64_t lives_ms = GRANT_FOREVER;
    const char *source = cred_cache_source(c->cache, &lives_ms);

    if (source == NULL)
        (void)snprintf(text, size, "%s", "");
    else if (lives_ms == GRANT_FOREVER)
        (void)snprintf(text, size, "%s", source);
    else
        (void)snprintf(text, size, "%s, for another %s", source,
                       units_format_duration(lives_ms > 0 ? lives_ms : 0, span));
}

/* The first of the texts that says something. */
static const char *
first_of(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (grant_has(texts[i]))
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
