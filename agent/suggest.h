/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.h: which known word did a mistyped one mean? */
#ifndef AGENT_SUGGEST_H
#define AGENT_SUGGEST_H

/* How many single letters must be inserted, removed or exchanged to turn A into B. Words over 40 bytes are never near.
 */
unsigned suggest_distance(const char *a, const char *b);

/* Keeps the best candidate of several: start with {word, NULL, 0}. */
struct suggest {
    const char *word;
    const char *best; /* NULL: none is near */
    unsigned distance;
};

void suggest_try(struct suggest *s, const char *candidate);

#endif
