/* SPDX-License-Identifier: Apache-2.0 */
/*
 * temp_folder.h: a private folder for data that nobody wants to keep, which is gone in the end whatever happens: what a
 * killed process left behind is removed by the next one that makes such a folder in the same place.
 *
 * Invariant: a living owner holds a lock (flock) on its folder, so that it is never taken for a left one.
 */
#ifndef BASE_TEMP_FOLDER_H
#define BASE_TEMP_FOLDER_H

#include "base/err.h"

struct temp_folder {
    int parent_fd;
    int fd;     /* the folder itself, locked; to work in with the *at() functions */
    char *path; /* for messages */
    char *name; /* in the parent */
};

/* A new folder, mode 0700, in the folder PARENT (which exists), with a name of PREFIX + six random characters. Folders
 * of this user with that prefix that nobody holds any more are removed first. ERR_USAGE where PARENT is none, or cannot
 * be written to; ERR_NO_SPACE. Needs no temp_folder_remove() after a failure. */
int temp_folder_make(const char *parent, const char *prefix, struct temp_folder *t, struct err *err) MUST_CHECK;

/* Remove it and all below it; what cannot be removed is logged. Fine twice, and on {-1, -1, NULL, NULL}. */
void temp_folder_remove(struct temp_folder *t);

#define TEMP_FOLDER_INIT                                                                                               \
    {                                                                                                                  \
        -1, -1, NULL, NULL                                                                                             \
    }

#endif
