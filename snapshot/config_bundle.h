/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_bundle.h: the member "config" in the making: configuration files and what the server says of itself, collected
 * in memory and written as one pax tar (docs/FORMAT.md says what is in it).
 *
 * Files are read once, when they are added: what is wrong with them is known before a server is asked for anything.
 */
#ifndef SNAPSHOT_CONFIG_BUNDLE_H
#define SNAPSHOT_CONFIG_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/redis/server_settings.h"

#define CONFIG_TAR_MAX  (16u << 20) /* bytes of the tar */
#define CONFIG_FILE_MAX (4u << 20)  /* bytes of a file */

struct config_bundle;

/* An empty one. REDACT: files lose their secrets. Never NULL. */
struct config_bundle *config_bundle_new(bool redact);
void config_bundle_free(struct config_bundle *b); /* NULL is fine */

/* Add the file PATH, links followed, as files/<its last part>; a second one of that name gets a number behind it.
 * ERR_USAGE: missing, no regular file, unreadable, larger than CONFIG_FILE_MAX, or no text where secrets have to be
 * found in it. */
int config_bundle_add_file(struct config_bundle *b, const char *path, struct err *err) MUST_CHECK;

/* Add what a server told, as server/config-get.txt and server/acl-list.txt; a note why in place of what it did not
 * tell (config-get.refused.txt...), so that an empty file is never taken for its settings. */
void config_bundle_add_server(struct config_bundle *b, const struct server_settings *s);

/* The same for a server that could not be asked at all. */
void config_bundle_add_no_server(struct config_bundle *b, const char *why);

size_t config_bundle_files(const struct config_bundle *b);
size_t config_bundle_secrets(const struct config_bundle *b); /* lines of files that lost one */

/* Write the tar into TAR, which is set up here with CONFIG_TAR_MAX as its ceiling; the caller does buf_fini().
 * ERR_USAGE: too large. */
int config_bundle_write(const struct config_bundle *b, struct buf *tar, struct err *err) MUST_CHECK;

#endif
