/* SPDX-License-Identifier: Apache-2.0 */
/* redis_conf_load.h: reads the file that a server starts with, and all that it includes. What the words mean is
 * redis_conf.h's. */
#ifndef SNAPSHOT_REDIS_REDIS_CONF_LOAD_H
#define SNAPSHOT_REDIS_REDIS_CONF_LOAD_H

#include "base/err.h"
#include "snapshot/redis/redis_conf.h"

/*
 * CONF becomes what the file PATH says. A relative include is sought where the server would: in its working folder,
 * which is what the last line `dir` before it said, else the one it was started in, for which ours is taken. One with
 * * ? or [ is a pattern (Redis 7.0 and later), which may match nothing; that is logged as a warning, since the files
 * may be there for the server and not be mounted here.
 *
 * ERR_USAGE: a file is not there or cannot be read (the sentence names it), is larger than 1 MiB, there are more than
 * 256 of them, they include one another more than 16 deep, or what redis_conf_parse() says.
 */
int redis_conf_load(const char *path, struct redis_conf *conf, struct err *err) MUST_CHECK;

#endif
