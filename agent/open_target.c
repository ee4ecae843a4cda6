/* SPDX-License-Identifier: Apache-2.0 */
/* open_target.c: see open_target.h. */
#include "agent/open_target.h"

#include <string.h>

#include "base/units.h"

/* "UID:GID", both numbers below the one that means "none". */
static int
parse_owner(const char *text, struct target_options *options, struct err *err)
{
    const char *colon = strchr(text, ':');
    char uid_text[24] = "";
    uint64_t uid = 0, gid = 0;
    struct err unused = ERR_INIT;

    if (colon == NULL || (size_t)(colon - text) >= sizeof(uid_text))
        return err_set(err, ERR_USAGE, "--owner \"%.60s\": it is UID:GID, two numbers", text);
    memcpy(uid_text, text, (size_t)(colon - text));
    if (units_parse_u64(uid_text, &uid, &unused) < 0 || units_parse_u64(colon + 1, &gid, &unused) < 0 ||
        uid >= UINT32_MAX || gid >= UINT32_MAX)
        return err_set(err, ERR_USAGE, "--owner \"%.60s\": it is UID:GID, two numbers", text);
    options->owner_given = true;
    options->uid = (uid_t)uid;
    options->gid = (gid_t)gid;
    return 0;
}

int
open_target_options(const struct config *config, const struct target_server *server, struct target_options *options,
                    struct err *err)
{
    *options = (struct target_options){
        .path = config->target,
        .names = server->names,
        .layout = server->layout,
        .ignore = (const char *const *)config->ignore.items,
        .ignore_count = config->ignore.count,
    };
    return config->owner != NULL ? parse_owner(config->owner, options, err) : 0;
}

int
open_target(const struct config *config, const struct target_server *server, struct target **out, struct err *err)
{
    struct target_options options;

    if (open_target_options(config, server, &options, err) < 0)
        return -1;
    return target_open(&options, out, err);
}
