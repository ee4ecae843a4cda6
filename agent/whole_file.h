/* SPDX-License-Identifier: Apache-2.0 */
/*
 * whole_file.h: a result that is a file of its own, written as a stream: under its name it is there whole or not at
 * all. Until then it is ".NAME.remora-tmp" beside it, locked: who is killed leaves that, and the next run takes it
 * over.
 */
#ifndef AGENT_WHOLE_FILE_H
#define AGENT_WHOLE_FILE_H

#include "base/err.h"

struct whole_file {
    int dir; /* descriptors; -1: none */
    int fd;  /* to write to */
    char *name, *temp;
    const char *path; /* the caller's, which must live as long */
};

#define WHOLE_FILE_INIT                                                                                                \
    {                                                                                                                  \
        -1, -1, NULL, NULL, NULL                                                                                       \
    }

/* Begin PATH, mode 0600. ERR_REFUSED when it is there; ERR_USAGE where its folder is not, or may not be written to;
 * ERR_LOCKED while another run writes it. whole_file_end() in any case. */
int whole_file_begin(const char *path, struct whole_file *f, struct err *err) MUST_CHECK;

/* It is complete: sync it and give it its name. ERR_EXISTS when that has appeared meanwhile. */
int whole_file_commit(struct whole_file *f, struct err *err) MUST_CHECK;

/* Close; without a commit nothing is left. */
void whole_file_end(struct whole_file *f);

#endif
