/* SPDX-License-Identifier: Apache-2.0 */
/* store_readonly.h: a wrapper that lets nothing be changed; restore and verify get no other handle. */
#ifndef STORAGE_STORE_READONLY_H
#define STORAGE_STORE_READONLY_H

#include "storage/store.h"

/* Wrap INNER, which belongs to the new handle from now on. put and remove are refused with ERR_REFUSED and never reach
 * INNER; the features lose STORE_WRITABLE and STORE_CREATE_ONLY. As thread-safe as INNER. Never NULL. */
struct store *store_readonly_new(struct store *inner) MUST_CHECK;

#endif
