/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_words.h: a line of a server's configuration as its words, by the rules of Redis and Valkey (the same in all
 * versions): blanks part words; "..." with the escapes \n \r \t \b \a \xNN and \ before any other character; '...'
 * with \' alone. A quote may begin within a word, but what closes it ends the word. Pure: no I/O.
 */
#ifndef SNAPSHOT_REDIS_CONF_WORDS_H
#define SNAPSHOT_REDIS_CONF_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

struct conf_words {
    char **items; /* each NUL-terminated */
    size_t count;
    bool has_nul; /* a "\x00" was among them: what follows it in its word is not seen */
    char *room;
};

/* LEN bytes without a NUL; the caller does conf_words_fini(). -1, and nothing to free: the quotes are not balanced. */
int conf_words_split(const char *line, size_t len, struct conf_words *out) MUST_CHECK;

/* Append one word of LEN bytes, any bytes, in quotes where it needs them. ERR_NO_SPACE at the ceiling of OUT. */
int conf_words_append(struct buf *out, const char *word, size_t len, struct err *err) MUST_CHECK;

/* Fine on a zeroed struct. */
void conf_words_fini(struct conf_words *w);

#endif
