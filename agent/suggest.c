/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.c: see suggest.h. */
#include "agent/suggest.h"

#include <stddef.h>
#include <string.h>

#define WORD_MAX 40
#define FAR_AWAY 1000

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

unsigned
suggest_distance(const char *a, const char *b)
{
    size_t alen = strlen(a), blen = strlen(b);
    unsigned row[WORD_MAX + 1];

    if (alen > WORD_MAX || blen > WORD_MAX)
        return FAR_AWAY;
    for (size_t j = 0; j <= blen; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= alen; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= blen; j++) {
            unsigned above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[blen];
}

void
suggest_try(struct suggest *s, const char *candidate)
{
    unsigned distance = suggest_distance(s->word, candidate);
    size_t len = strlen(candidate);

    if (distance > (len < 6 ? 2 : len / 3) || distance >= len)
        return;
    if (s->best == NULL || distance < s->distance) {
        s->best = candidate;
        s->distance = distance;
    }
}
