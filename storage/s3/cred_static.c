/* SPDX-License-Identifier: Apache-2.0 */
/* cred_static.c: the links that only have to be read, see cred_links.h: the access key file and the environment. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "storage/s3/cred_links.h"

#define FILE_MAX 16384

bool
cred_file_given(const struct cred_scene *scene)
{
    return scene->access_key_file != NULL;
}

int
cred_file_ask(const struct cred_scene *scene, struct grant *g, struct err *err)
{
    const char *lines[3] = {"", "", ""};
    struct err cause = ERR_INIT;
    char *text = NULL, *at;
    size_t len = 0;
    int rc;

    if (file_read_all(AT_FDCWD, scene->access_key_file, FILE_MAX, &text, &len, &cause) < 0)
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
    rc = grant_take(g, lines[0], lines[1], lines[2], "the access key file", err);
    if (rc == 0)
        rc = err_set(err, ERR_USAGE,
                     "the access key file %s is empty; write the id of the key into its first line and "
                     "the secret into its second",
                     scene->access_key_file);
    mem_wipe(text, len);
    free(text);
    return rc;
}

bool
cred_env_given(const struct cred_scene *scene)
{
    (void)scene;
    return cred_env("AWS_ACCESS_KEY_ID") != NULL || cred_env("AWS_SECRET_ACCESS_KEY") != NULL;
}

int
cred_env_ask(const struct cred_scene *scene, struct grant *g, struct err *err)
{
    (void)scene;
    return grant_take(g, getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN"),
                      "the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)", err);
}
