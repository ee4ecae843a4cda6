/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar_names.h: which names a tar has told so far, in bounded memory: a table of digests, of files and of the folders
 * that their names speak of, at most TAR_NAMES_MAX in all (some 20 MB). One thread.
 */
#ifndef BASE_TAR_NAMES_H
#define BASE_TAR_NAMES_H

#include "base/compiler.h"

#define TAR_NAMES_MAX 400000

struct tar_names;

enum tar_names_answer {
    TAR_NAMES_ADDED,
    TAR_NAMES_TWICE, /* there is such a file already */
    TAR_NAMES_CLASH, /* it is a folder of another, or a file among its folders */
    TAR_NAMES_FULL,
};

/* Never NULL. */
struct tar_names *tar_names_new(void) MUST_CHECK;
void tar_names_free(struct tar_names *n); /* NULL is fine */

/* Add the file NAME, and all folders above it: parts separated by single slashes. */
enum tar_names_answer tar_names_add(struct tar_names *n, const char *name) MUST_CHECK;

#endif
