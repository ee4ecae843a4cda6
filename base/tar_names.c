/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_names.c: see tar_names.h. Open addressing over the first 128 bits of a SHA-256: no two names that anybody can
 * find have the same, so the names themselves need not be kept.
 */
#include "base/tar_names.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

#define FIRST_SIZE ((size_t)256) /* a power of two */

enum kind { NOTHING, A_FILE, A_FOLDER };

struct place {
    uint64_t digest[2];
    enum kind kind;
};

struct tar_names {
    struct place *places;
    size_t size, count; /* size is a power of two; at most half of it is taken */
};

struct tar_names *
tar_names_new(void)
{
    struct tar_names *n = mem_new(sizeof(*n));

    n->size = FIRST_SIZE;
    n->places = mem_array(n->size, sizeof(*n->places));
    return n;
}

void
tar_names_free(struct tar_names *n)
{
    if (n == NULL)
        return;
    free(n->places);
    free(n);
}

/* The place of DIGEST: its own, or the free one where it belongs. */
static struct place *
find(const struct tar_names *n, const uint64_t digest[2])
{
    size_t at = (size_t)digest[0] & (n->size - 1);

    while (n->places[at].kind != NOTHING && memcmp(n->places[at].digest, digest, 2 * sizeof(*digest)) != 0)
        at = (at + 1) & (n->size - 1);
    return &n->places[at];
}

static void
grow(struct tar_names *n)
{
    struct tar_names larger = {.size = 2 * n->size, .count = n->count};

    larger.places = mem_array(larger.size, sizeof(*larger.places));
    for (size_t i = 0; i < n->size; i++) {
        if (n->places[i].kind != NOTHING)
            *find(&larger, n->places[i].digest) = n->places[i];
    }
    free(n->places);
    *n = larger;
}

static enum tar_names_answer
add(struct tar_names *n, const char *name, size_t len, enum kind kind)
{
    uint8_t sha256[DIGEST_SHA256_LEN];
    uint64_t digest[2];
    struct place *p;

    digest_sha256(name, len, sha256);
    memcpy(digest, sha256, sizeof(digest));
    p = find(n, digest);
    if (p->kind != NOTHING)
        return p->kind != kind ? TAR_NAMES_CLASH : kind == A_FILE ? TAR_NAMES_TWICE : TAR_NAMES_ADDED;
    if (n->count == TAR_NAMES_MAX)
        return TAR_NAMES_FULL;
    memcpy(p->digest, digest, sizeof(digest));
    p->kind = kind;
    if (2 * ++n->count > n->size)
        grow(n);
    return TAR_NAMES_ADDED;
}

enum tar_names_answer
tar_names_add(struct tar_names *n, const char *name)
{
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        enum tar_names_answer answer = add(n, name, (size_t)(slash - name), A_FOLDER);

        if (answer != TAR_NAMES_ADDED)
            return answer;
    }
    return add(n, name, strlen(name), A_FILE);
}
