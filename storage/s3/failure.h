/* SPDX-License-Identifier: Apache-2.0 */
/* failure.h: what an S3 answer that is no success means to us: the one table from S3's codes and HTTP's statuses to
 * err.h. Pure. */
#ifndef STORAGE_S3_FAILURE_H
#define STORAGE_S3_FAILURE_H

#include <stdint.h>

#include "storage/s3/answers.h"

struct s3_failure {
    int status;                   /* HTTP's; may be 200 with an error in the body */
    const struct s3_error *error; /* code "": the body held none */
    int64_t retry_after_ms;       /* 0: not said */
    const char *bucket;
    bool is_removal; /* of one object or of many */
    bool bodiless;   /* the answer to a HEAD: that it says no code means nothing */
};

/* Always -1. A 404 that names no S3 code, and could, is ERR_CORRUPT: any web server answers so, and "there is no
 * backup" must not be read out of a wrong endpoint. A removal that is denied because the object is locked is
 * ERR_LOCKED: S3 has no code for that, only words, so what does not say so is ERR_STORE_DENIED. */
int s3_failure_set(const struct s3_failure *f, struct err *err);

#endif
