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

int
secret_read_file(const char *path, char **secret, struct err *err)
{
    struct err cause = ERR_INIT;
    char *data = NULL;
    size_t len = 0;

    if (file_read_all(AT_FDCWD, path, SECRET_FILE_MAX, &data, &len, &cause) < 0)
        return err_set(err, ERR_USAGE, "the password file cannot be used: %s", cause.msg);
    if (memchr(data, '\0', len) != NULL) {
        mem_wipe(data, len);
        free(data);
        return err_set(err, ERR_USAGE, "the password file %s holds a NUL byte, which no password has", path);
    }
    if (len > 0 && data[len - 1] == '\n') {
        data[--len] = '\0';
        if (len > 0 && data[len - 1] == '\r')
            data[--len] = '\0';
    }
    if (len == 0) {
        free(data);
        return err_set(err, ERR_USAGE, "the password file %s is empty; write the password into it", path);
    }
    *secret = data;
    return 0;
}

void
secret_free(char *secret)
{
    if (secret != NULL)
        mem_wipe(secret, strlen(secret));
    free(secret);
}
