/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.h: takes the secrets out of the text of a configuration file: redis.conf, users.acl, sentinel.conf and what
 * includes look like. Pure: no I/O.
 *
 * A secret is: the value of requirepass, masterauth (primaryauth), tls-key-file-pass and of every other directive whose
 * name ends in pass, password, passwd, auth, secret, token or key; of `sentinel auth-pass` and its like; the arguments
 * of loadmodule; passwords and their hashes in the rules of a `user`; and a private key in PEM form, with all that is
 * on the lines of its first and last marks besides these. They are found in comments too, with ':' or '=' behind the
 * name that begins a line (`REDIS_PASSWORD=...`), and as command-line options anywhere in a line (`--requirepass ...`).
 * Names of users, renamed commands and paths are none; neither is an empty value. Prose is not understood: a comment
 * that tells a password in a sentence stays.
 *
 * What takes the place of a secret keeps a server from starting, so that none ever runs without the password that it
 * had: a quote that is not closed behind a directive, and a rule that there is not in the rules of a `user`. A line
 * that a server could not read either, and that of a user with a blank in its name, loses all but its first word. For
 * command-line options a plain mark stands there: a server that is given it has a password that nobody was told.
 */
#ifndef SNAPSHOT_REDIS_REDACT_H
#define SNAPSHOT_REDIS_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* What stands in the place of a secret begins so. */
#define REDACT_MARK "REDACTED-BY-REMORA"

/* Append LEN bytes of TEXT (without a NUL) to OUT without their secrets; *SECRETS is how many lines had any. Lines
 * without one are the same to the byte. ERR_NO_SPACE at the ceiling of OUT. */
int redact_text(const char *text, size_t len, struct buf *out, size_t *secrets, struct err *err) MUST_CHECK;

#endif
