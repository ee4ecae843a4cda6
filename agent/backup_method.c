/* SPDX-License-Identifier: Apache-2.0 */
/* backup_method.c: see backup_method.h. */
#include "agent/backup_method.h"

/* METHOD_FILE where nothing is given at all: there is nothing to guess from. */
static enum config_method
guess(const struct config *c)
{
    if (c->data_dir != NULL)
        return METHOD_BGSAVE;
    if (c->rdb_file != NULL)
        return c->redis_url != NULL ? METHOD_BGSAVE : METHOD_FILE;
    return c->redis_url != NULL ? METHOD_PSYNC : METHOD_FILE;
}

int
backup_method_choose(const struct config *c, enum config_method *method, struct err *err)
{
    enum config_method chosen = (enum config_method)c->method;

    if (c->data_dir != NULL && c->rdb_file != NULL)
        return err_set(err, ERR_USAGE, "--data-dir and --rdb-file both say where the dump is; give one of them");
    if (chosen == METHOD_AUTO)
        chosen = guess(c);
    if (chosen != METHOD_PSYNC && c->data_dir == NULL && c->rdb_file == NULL)
        return err_set(
            err, ERR_USAGE,
            "where is the dump? Give --redis-url, the server that sends it over the wire, or --data-dir, the "
            "server's data folder as it is mounted here (the server is asked for a save), or --rdb-file, a "
            "dump file that exists");
    *method = chosen;
    return 0;
}
