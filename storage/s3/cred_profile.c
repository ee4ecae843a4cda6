/* SPDX-License-Identifier: Apache-2.0 */
/* cred_profile.c: what a profile of the shared files says of keys, see cred_links.h: a role (by web identity, by
 * another profile, by another link), keys, or a program that writes them. Not: single sign-on, which needs a person at
 * a browser, and roles that ask for a second factor. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "storage/s3/cred_links.h"

#define CHAIN_MAX 5 /* profiles that refer to one another */

bool
cred_profile_given(const struct cred_scene *scene)
{
    const struct s3_profile *p = &scene->profile;

    return p->access_key_id != NULL || p->secret_access_key != NULL || p->role_arn != NULL ||
           p->credential_process != NULL || p->sso != NULL;
}

static int ask(const struct cred_scene *scene, const char *name, const struct s3_profile *p, unsigned depth,
               struct grant *g, struct err *err);

static int
take_keys(const struct s3_profile *p, struct grant *g, struct err *err)
{
    return grant_take(g, p->access_key_id, p->secret_access_key, p->session_token, "the profile in AWS's shared files",
                      err);
}

/* The keys that sign for a role, by another profile (or this one's own). */
static int
ask_source(const struct cred_scene *scene, const char *name, const struct s3_profile *p, unsigned depth,
           struct grant *g, struct err *err)
{
    struct s3_profile source;
    int rc;

    if (strcmp(p->source_profile, name) == 0) {
        rc = take_keys(p, g, err);
        return rc != 0 ? rc : err_set(err, ERR_USAGE, "source_profile is the profile itself, which has no key");
    }
    if (depth + 1 >= CHAIN_MAX)
        return err_set(err, ERR_USAGE, "source_profile leads in a circle, or over more than %d profiles", CHAIN_MAX);
    rc = s3_profile_load(&source, p->source_profile, err);
    if (rc == 0 && !source.found)
        rc = err_set(err, ERR_USAGE, "source_profile names %.80s, which is in none of AWS's shared files",
                     p->source_profile);
    if (rc == 0)
        rc = ask(scene, p->source_profile, &source, depth + 1, g, err);
    s3_profile_fini(&source);
    return rc != 0 ? rc : err_set(err, ERR_USAGE, "source_profile names %.80s, which has no key", p->source_profile);
}

/* The same by a link of the chain. */
static int
ask_link(const struct cred_scene *scene, const struct s3_profile *p, struct grant *g, struct err *err)
{
    static const struct {
        const char *name;
        cred_given_fn *given;
        cred_ask_fn *ask;
    } links[] = {{"Environment", cred_env_given, cred_env_ask},
                 {"EcsContainer", cred_container_given, cred_container_ask},
                 {"Ec2InstanceMetadata", cred_imds_given, cred_imds_ask}};
    int rc;

    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        if (strcmp(p->credential_source, links[i].name) != 0)
            continue;
        if (!links[i].given(scene))
            return err_set(err, ERR_USAGE, "credential_source is %s, of which nothing is set", links[i].name);
        rc = links[i].ask(scene, g, err);
        return rc != 0 ? rc : err_wrap(err, "credential_source is %s", links[i].name);
    }
    return err_set(err, ERR_USAGE,
                   "credential_source is %.40s; known are Environment, EcsContainer and Ec2InstanceMetadata",
                   p->credential_source);
}

static int
ask_role(const struct cred_scene *scene, const char *name, const struct s3_profile *p, unsigned depth, struct grant *g,
         struct err *err)
{
    const struct cred_role role = {.arn = p->role_arn,
                                   .session_name = p->role_session_name,
                                   .external_id = p->external_id,
                                   .duration = p->duration_seconds};
    struct grant source = {0};
    int rc;

    if (p->web_identity_token_file != NULL)
        return cred_sts_web_identity(scene, &role, p->web_identity_token_file, g, err);
    if (p->mfa_serial != NULL)
        return err_set(err, ERR_UNSUPPORTED,
                       "the role asks for a second factor (mfa_serial), which remora cannot give");
    if (p->source_profile != NULL)
        rc = ask_source(scene, name, p, depth, &source, err);
    else if (p->credential_source != NULL)
        rc = ask_link(scene, p, &source, err);
    else
        rc = err_set(err, ERR_USAGE,
                     "role_arn is set, but not with what: source_profile, credential_source and "
                     "web_identity_token_file are missing");
    if (rc > 0)
        rc = cred_sts_assume_role(scene, &role, &source.keys, g, err);
    grant_fini(&source);
    return rc;
}

static int
ask(const struct cred_scene *scene, const char *name, const struct s3_profile *p, unsigned depth, struct grant *g,
    struct err *err)
{
    int rc;

    if (p->role_arn != NULL)
        return ask_role(scene, name, p, depth, g, err);
    rc = take_keys(p, g, err);
    if (rc != 0)
        return rc;
    if (p->credential_process != NULL)
        return cred_process_ask(p->credential_process, g, err);
    if (p->sso != NULL)
        return err_set(err, ERR_UNSUPPORTED,
                       "it is one for single sign-on (%s), which remora does not do; use a role, a key, or "
                       "credential_process = aws configure export-credentials --profile %.80s",
                       p->sso, name);
    return 0;
}

int
cred_profile_ask(const struct cred_scene *scene, struct grant *g, struct err *err)
{
    int rc = ask(scene, scene->profile_name, &scene->profile, 0, g, err);

    return rc >= 0 ? rc : err_wrap(err, "profile %.80s", scene->profile_name);
}
