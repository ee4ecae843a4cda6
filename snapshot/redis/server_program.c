/* SPDX-License-Identifier: Apache-2.0 */
/* server_program.c: see server_program.h. */
#include "snapshot/redis/server_program.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static bool
is_program(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    errno = EACCES;
    return S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* PATH's first program NAME, or NULL. */
static char *
find_in_path(const char *name)
{
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        char *candidate = mem_printf("%.*s/%s", (int)len, path, name);

        /* An empty or relative entry means the working folder: no program is taken from there unasked. */
        if (candidate[0] == '/' && len > 0 && is_program(candidate))
            return candidate;
        free(candidate);
        path += len + (path[len] == ':');
    }
    return NULL;
}

/* Links are not followed: Debian's redis-server is one to redis-check-rdb, and the name decides what it does. */
static char *
make_absolute(const char *path, struct err *err)
{
    char *folder, *absolute;

    if (path[0] == '/')
        return mem_strdup(path);
    folder = getcwd(NULL, 0);
    if (folder == NULL) {
        (void)err_sys(err, ERR_USAGE, errno, "--server-binary %s: the working folder is gone", path);
        return NULL;
    }
    absolute = mem_printf("%s/%s", folder, path);
    free(folder);
    return absolute;
}

char *
server_program_find(const char *given, const char *kind, struct err *err)
{
    bool redis_first = strcmp(kind, "redis") == 0;
    char *found;

    if (given != NULL) {
        if (!is_program(given)) {
            (void)err_sys(err, ERR_USAGE, errno, "--server-binary %s is no program that can be run here", given);
            return NULL;
        }
        return make_absolute(given, err);
    }
    found = find_in_path(redis_first ? "redis-server" : "valkey-server");
    if (found == NULL)
        found = find_in_path(redis_first ? "valkey-server" : "redis-server");
    if (found == NULL)
        (void)err_set(err, ERR_USAGE,
                      "there is neither valkey-server nor redis-server in the PATH: install one, or name the program "
                      "with --server-binary");
    return found;
}
