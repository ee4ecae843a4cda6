/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c: see secret.h. */
#include "agent/secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

#define SECRET_FILE_MAX 4096

void
secret_mask_url(char *text)
{
    char *user = strstr(text, "://");
    char *end = user != NULL ? strrchr(user, '@') : NULL;
    char *colon;

    if (end == NULL)
        return;
    user += strlen("://");
    colon = memchr(user, ':', (size_t)(end - user));
    if (colon != NULL)
        user = colon + 1;
    memset(user, '*', (size_t)(end - user));
}

/* WHAT it holds: "password", "token". */
static int
read_secret(const char *what, const char *path, char **secret, struct err *err)
{
    struct err cause = ERR_INIT;
    char *data = NULL;
    size_t len = 0;

    if (file_read_all(AT_FDCWD, path, SECRET_FILE_MAX, &data, &len, &cause) < 0)
        return err_set(err, ERR_USAGE, "the %s file cannot be used: %s", what, cause.msg);
    if (memchr(data, '\0', len) != NULL) {
        mem_wipe(data, len);
        free(data);
        return err_set(err, ERR_USAGE, "the %s file %s holds a NUL byte, which no %s has", what, path, what);
    }
    if (len > 0 && data[len - 1] == '\n') {
        data[--len] = '\0';
        if (len > 0 && data[len - 1] == '\r')
            data[--len] = '\0';
    }
    if (len == 0) {
        free(data);
        return err_set(err, ERR_USAGE, "the %s file %s is empty; write the %s into it", what, path, what);
    }
    *secret = data;
    return 0;
}

int
secret_read_file(const char *path, char **secret, struct err *err)
{
    return read_secret("password", path, secret, err);
}

int
secret_read_token(const char *path, char **token, struct err *err)
{
    char *text = NULL;
    int rc = 0;

    if (read_secret("token", path, &text, err) < 0)
        return -1;
    for (const char *c = text; *c != '\0' && rc == 0; c++)
        if (*c <= ' ' || *c > '~')
            rc = err_set(err, ERR_USAGE,
                         "the token file %s holds a blank, a line break or another character that a token cannot have; "
                         "write one line of letters and digits into it",
                         path);
    if (rc == 0 && strlen(text) < SECRET_TOKEN_MIN)
        rc = err_set(err, ERR_USAGE, "the token in the file %s is shorter than %d characters, and may be guessed", path,
                     SECRET_TOKEN_MIN);
    if (rc < 0) {
        secret_free(text);
        return -1;
    }
    *token = text;
    return 0;
}

void
secret_free(char *secret)
{
    if (secret != NULL)
        mem_wipe(secret, strlen(secret));
    free(secret);
}
