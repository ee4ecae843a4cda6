/* SPDX-License-Identifier: Apache-2.0 */
/* check_disk.h: the rows about the server's data folder as it is mounted here. Nothing in it is touched. */
#ifndef SNAPSHOT_CHECK_CHECK_DISK_H
#define SNAPSHOT_CHECK_CHECK_DISK_H

#include "snapshot/check/check.h"
#include "snapshot/redis/dump_file.h"
#include "snapshot/redis/info.h"

/* Look at FOLDER and the dump DBFILENAME in it. STATUS: what the server says of itself, NULL when it says nothing. */
void check_disk(struct check *c, const char *folder, const char *dbfilename, const struct server_status *status);

/* The row whether the folder is the server's: its last save and the dump's time have to fit. */
void check_judge_same_folder(struct check *c, const struct dump_stamp *dump, const struct server_status *status);

#endif
