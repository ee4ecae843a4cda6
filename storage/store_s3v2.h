/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_s3v2.h: objects in a bucket of an old S3 store that knows Signature v2 only, over libs3
 * (docs/adr/0006-libs3.md). An optional part of the build: REMORA_LIBS3 is defined where it is there.
 *
 * By http only: Debian's libs3 does not verify certificates. No create-only puts, no session tokens, no multi-delete,
 * no keys with a space (libs3 would store them under another name: ERR_UNSUPPORTED); and no time-outs: a store that
 * stops answering is waited for.
 */
#ifndef STORAGE_STORE_S3V2_H
#define STORAGE_STORE_S3V2_H

#include "storage/store_s3.h"

/* Of the options, the storage class, encryption and the CA are refused. Makes no request. NULL with ERR_USAGE, or what
 * credentials_new() and credentials_get() say. */
struct store *store_s3v2_open(const struct store_s3_options *options, struct err *err) MUST_CHECK;

#endif
