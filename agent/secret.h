/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h: keeping passwords off the process list, and reading them from files. */
#ifndef AGENT_SECRET_H
#define AGENT_SECRET_H

#include "base/err.h"

#define SECRET_TOKEN_MIN 16

/* Overwrite, with asterisks and in place, the password of a URL anywhere in TEXT ("scheme://user:password@host", also
 * behind "--option="). What stands before the @ without a colon is overwritten too: it may be a password in the wrong
 * place. Any other text is left. */
void secret_mask_url(char *text);

/* The content of the file PATH less one newline ("\n" or "\r\n") at its end. ERR_USAGE: no such file, unreadable,
 * empty, larger than 4 kB, or holding a NUL. The caller frees with secret_free(). */
int secret_read_file(const char *path, char **secret, struct err *err) MUST_CHECK;

/* The same for a bearer token, which has SECRET_TOKEN_MIN printable characters or more and no blanks. */
int secret_read_token(const char *path, char **token, struct err *err) MUST_CHECK;

/* Wipe and free. NULL is fine. */
void secret_free(char *secret);

#endif
