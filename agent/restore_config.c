/* SPDX-License-Identifier: Apache-2.0 */
/* restore_config.c: see restore_config.h. */
#include "agent/restore_config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/pick.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tar_extract.h"
#include "snapshot/config_member.h"

static int
refuse(const struct config *c, const char *why, struct err *err)
{
    return err_set(err, ERR_REFUSED,
                   "--config-to %s was refused, nothing was changed: %s; give an empty or a new folder, and take over "
                   "by hand what is wanted of it",
                   c->config_to, why);
}

static int
check_empty(const struct config *c, struct err *err)
{
    DIR *d = opendir(c->config_to);
    const struct dirent *e;
    bool empty = true;

    if (d == NULL)
        return err_set(err, ERR_USAGE, "--config-to %s: %s", c->config_to, strerror(errno));
    while ((e = readdir(d)) != NULL)
        empty = empty && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
    (void)closedir(d);
    return empty ? 0 : refuse(c, "it is not empty", err);
}

/* The folder by its own name; the caller frees. With a slash behind it (or "/."), a symbolic link would be followed. */
static char *
folder_name(const struct config *c)
{
    char *name = mem_strdup(c->config_to);
    size_t len = strlen(name);

    while (len > 1 && (name[len - 1] == '/' || (name[len - 1] == '.' && name[len - 2] == '/')))
        name[--len] = '\0';
    return name;
}

int
restore_config_check(const struct config *c, struct err *err)
{
    char *name = folder_name(c);
    struct stat st, target;
    const int failed = lstat(name, &st) < 0 ? errno : 0;

    free(name);
    if (failed != 0) {
        if (failed == ENOENT)
            return 0;
        return err_set(err, ERR_USAGE, "--config-to %s: %s", c->config_to, strerror(failed));
    }
    if (S_ISLNK(st.st_mode))
        return refuse(c, "it is a symbolic link", err);
    if (!S_ISDIR(st.st_mode))
        return refuse(c, "it is no folder", err);
    if (c->target != NULL && stat(c->target, &target) == 0 && target.st_dev == st.st_dev && target.st_ino == st.st_ino)
        return refuse(c, "it is the target, where the data goes", err);
    return check_empty(c, err);
}

int
restore_config_load(const struct config *c, const struct opened *opened, const struct manifest *m,
                    struct restore_config *rc, struct err *err)
{
    const struct read_options options = {.jobs = 1, .memory = c->memory};

    restore_config_fini(rc);
    if (config_member_read(&opened->repo, m, &options, &rc->tar, &rc->files, err) < 0)
        return err_wrap(err, "--config-to");
    rc->id = m->id;
    return 0;
}

/* The backup WHICH, and its files. */
static int
find_and_load(const struct config *c, const char *which, struct restore_config *rc, struct err *err)
{
    struct opened opened = {0};
    struct manifest *m = NULL;
    int result = -1;

    if (open_repo_instance(c, OPEN_REPO_READ, &opened, err) == 0 && pick_backup(c, &opened, which, &m, err) == 0)
        result = restore_config_load(c, &opened, m, rc, err);
    manifest_free(m);
    open_repo_close(&opened);
    return result;
}

int
restore_config_load_id(const struct config *c, const struct backup_id *id, struct restore_config *rc, struct err *err)
{
    return find_and_load(c, id->text, rc, err);
}

int
restore_config_write(const struct config *c, const struct restore_config *rc, struct restore_result *result,
                     struct err *err)
{
    char *name = folder_name(c);
    int failed = restore_config_check(c, err);

    if (failed == 0)
        failed = tar_extract(rc->tar.data, rc->tar.len, name, &result->config_files, err);
    free(name);
    if (failed < 0)
        return -1;
    log_info("the configuration files were written", LOG_S("id", rc->id.text), LOG_S("folder", c->config_to),
             LOG_U("files", result->config_files));
    return 0;
}

void
restore_config_fini(struct restore_config *rc)
{
    buf_fini(&rc->tar);
    memset(rc, 0, sizeof(*rc));
}

int
restore_config_alone(const struct config *c, struct restore_result *result, struct err *err)
{
    struct restore_config files = {0};
    int rc = -1;

    if (restore_config_check(c, err) == 0)
        rc = find_and_load(c, c->backup, &files, err);
    result->id = files.id;
    result->config_files = files.files;
    result->outcome = RESTORE_CONFIG;
    if (rc == 0 && c->dry_run) {
        result->outcome = RESTORE_PLANNED;
        (void)snprintf(result->why, sizeof(result->why), "write the configuration files, and nothing else");
    } else if (rc == 0) {
        rc = restore_config_write(c, &files, result, err);
    }
    restore_config_fini(&files);
    return rc;
}
