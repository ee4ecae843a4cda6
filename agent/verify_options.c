/* SPDX-License-Identifier: Apache-2.0 */
/* verify_options.c: see verify_options.h. */
#include "agent/verify_options.h"

#include <stdlib.h>

#include "agent/pick.h"
#include "snapshot/redis/server_program.h"

int
verify_options_check(const struct config *c, const char *which, struct err *err)
{
    char *program;

    if (c->all && which != NULL)
        return err_set(err, ERR_USAGE, "--all and the argument \"%.60s\" exclude each other", which);
    if (c->sample > 0 && which != NULL)
        return err_set(err, ERR_USAGE, "--sample and the argument \"%.60s\" exclude each other", which);
    if (c->sample > 0 && c->all)
        return err_set(err, ERR_USAGE, "--sample and --all exclude each other");
    if (c->load && c->quick)
        return err_set(err, ERR_USAGE, "--load and --quick exclude each other");
    if (which != NULL && pick_check(which, err) < 0)
        return -1;
    if (!c->load)
        return 0;
    program = server_program_find(c->server_binary, "", err); /* none at all: known before the store is asked */
    if (program == NULL)
        return err_wrap(err, "verify --load");
    free(program);
    return 0;
}
