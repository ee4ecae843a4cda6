/* SPDX-License-Identifier: Apache-2.0 */
/* failure.c: see failure.h. */
#include "storage/s3/failure.h"

#include <string.h>

/* By S3's code. Unknown codes go by the status. */
static const struct {
    const char *s3;
    enum err_code code;
    const char *meaning; /* NULL: only what the store said */
} codes[] = {
    {"NoSuchKey", ERR_NOT_FOUND, "there is no such object"},
    {"AccessDenied", ERR_STORE_DENIED, "check what the access key is allowed to do"},
    {"InvalidAccessKeyId", ERR_STORE_DENIED, "the store does not know this access key; check its id and the endpoint"},
    {"SignatureDoesNotMatch", ERR_STORE_DENIED, "check the secret of the access key"},
    {"ExpiredToken", ERR_STORE_DENIED, "the session token has expired; get new credentials"},
    {"InvalidToken", ERR_STORE_DENIED, "check the session token"},
    {"TokenRefreshRequired", ERR_STORE_DENIED, "the session token has expired; get new credentials"},
    {"AuthorizationHeaderMalformed", ERR_STORE_DENIED, "check the region"},
    {"RequestTimeTooSkewed", ERR_STORE_DENIED, "the clock of this machine is wrong; set it"},
    {"RequestExpired", ERR_STORE_DENIED, "the clock of this machine is wrong; set it"},
    {"AccountProblem", ERR_STORE_DENIED, NULL},
    {"AllAccessDisabled", ERR_STORE_DENIED, NULL},
    {"NotSignedUp", ERR_STORE_DENIED, NULL},
    {"UserSuspended", ERR_STORE_DENIED, NULL},
    {"QuotaExceeded", ERR_NO_SPACE, "raise the quota, or prune"},
    {"XMinioStorageFull", ERR_NO_SPACE, "the store is full"},
    {"XMinioAdminBucketQuotaExceeded", ERR_NO_SPACE, "raise the quota, or prune"},
    {"SlowDown", ERR_STORAGE, NULL},
    {"InternalError", ERR_STORAGE, NULL},
    {"ServiceUnavailable", ERR_STORAGE, NULL},
    {"RequestTimeout", ERR_STORAGE, NULL},
    {"BadDigest", ERR_STORAGE, "the data was damaged on its way"},
    {"XAmzContentSHA256Mismatch", ERR_STORAGE, "the data was damaged on its way"},
    {"XAmzContentChecksumMismatch", ERR_STORAGE, "the data was damaged on its way"},
    {"IncompleteBody", ERR_STORAGE, "the data was cut on its way"},
    {"OperationAborted", ERR_STORAGE, NULL},
    {"ConditionalRequestConflict", ERR_STORAGE, NULL},
    {"PreconditionFailed", ERR_EXISTS, "it exists already"},
    {"KeyTooLongError", ERR_UNSUPPORTED, NULL},
    {"InvalidObjectName", ERR_UNSUPPORTED, NULL},
    {"InvalidObjectState", ERR_UNSUPPORTED, "it lies in an archive class; have the store restore it first"},
    {"NotImplemented", ERR_UNSUPPORTED, "the store cannot do this"},
    {"MethodNotAllowed", ERR_UNSUPPORTED, "the store cannot do this"},
    {"EntityTooLarge", ERR_UNSUPPORTED, "it is larger than the store takes"},
    {"InvalidBucketName", ERR_USAGE, "check the bucket's name"},
};

static enum err_code
code_of_status(const struct s3_failure *f)
{
    switch (f->status) {
    case 401:
    case 403:
        return ERR_STORE_DENIED;
    case 404:
        return f->bodiless ? ERR_NOT_FOUND : ERR_STORAGE; /* a proxy's page: no word of the store */
    case 412:
        return ERR_EXISTS;
    case 501:
        return ERR_UNSUPPORTED;
    case 507:
        return ERR_NO_SPACE;
    default:
        return ERR_STORAGE;
    }
}

/* Will the same request be answered otherwise in a while? */
static bool
is_passing(int status)
{
    return status < 300 || status >= 500 || status == 408 || status == 409 || status == 429;
}

static const char *
meaning_of_status(const struct s3_failure *f)
{
    switch (f->status) {
    case 301:
    case 302:
    case 307:
    case 308:
        return "; it points to another address; check the endpoint and the region";
    case 401:
    case 403:
        return "; check the access key and what it is allowed to do";
    case 404:
        return f->bodiless ? "; there is no such object" : "; but not as S3 does; check the endpoint";
    default:
        return "";
    }
}

/* Was a removal denied because of the object, and not because of who asks? AWS: AccessDenied, "... because object
 * protected by object lock"; Ceph: AccessDenied, "forbidden by object lock"; MinIO and others: InvalidRequest, "Object
 * is WORM protected ...". */
static bool
is_locked(const struct s3_failure *f)
{
    static const char *const words[] = {"object lock", "objectlock", "WORM", "retention", "legal hold"};
    const struct s3_error *e = f->error;

    if (!f->is_removal || (strcmp(e->code, "AccessDenied") != 0 && strcmp(e->code, "InvalidRequest") != 0))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasestr(e->message, words[i]) != NULL)
            return true;
    }
    return false;
}

int
s3_failure_set(const struct s3_failure *f, struct err *err)
{
    const struct s3_error *e = f->error;
    const char *open = e->message[0] != '\0' ? " (" : "", *close = e->message[0] != '\0' ? ")" : "";

    if (strcmp(e->code, "NoSuchBucket") == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no bucket \"%s\"; check its name, the endpoint and the region",
                       f->bucket);
    if (is_locked(f))
        return err_set(err, ERR_LOCKED, "the store keeps it for now, since it is locked: %s (%s)", e->code, e->message);
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        const char *meaning = codes[i].meaning;

        if (strcmp(e->code, codes[i].s3) != 0)
            continue;
        if (codes[i].code == ERR_NOT_FOUND || codes[i].code == ERR_EXISTS)
            return err_set(err, codes[i].code, "%s", meaning);
        (void)err_set(err, codes[i].code, "the store answered %d %s%s%s%s%s%s", f->status, e->code, open, e->message,
                      close, meaning != NULL ? "; " : "", meaning != NULL ? meaning : "");
        err->retry_after_ms = f->retry_after_ms;
        return -1;
    }
    if (e->code[0] == '\0' && f->status == 412)
        return err_set(err, ERR_EXISTS, "it exists already");
    if (e->code[0] == '\0' && f->status == 404 && f->bodiless)
        return err_set(err, ERR_NOT_FOUND, "there is no such object");
    (void)err_set(err, code_of_status(f), "the store answered %d%s%s%s%s%s%s", f->status, e->code[0] != '\0' ? " " : "",
                  e->code, open, e->message, close, meaning_of_status(f));
    err->retry_after_ms = is_passing(f->status) ? f->retry_after_ms : ERR_NEVER_RETRY;
    return -1;
}
