/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h: SHA-256, HMAC and MD5 (OpenSSL's), base64 and random identifiers. Thread-safe; none of it can fail for
 * reasons other than a broken library. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define DIGEST_SHA256_LEN  32
#define DIGEST_SHA256_HEX  (2 * DIGEST_SHA256_LEN + 1) /* with the NUL */
#define DIGEST_MD5_LEN     16
#define DIGEST_UUID_TEXT   37                        /* with the NUL */
#define DIGEST_BASE64(len) (((len) + 2) / 3 * 4 + 1) /* with the NUL */

/* SHA-256 of LEN bytes. */
void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN]);

/* The same as lower-case hex digits. */
void digest_sha256_hex(const void *data, size_t len, char out[DIGEST_SHA256_HEX]);

/* Are two digests the same? Takes the same time whatever they hold. */
bool digest_sha256_equal(const uint8_t a[DIGEST_SHA256_LEN], const uint8_t b[DIGEST_SHA256_LEN]) MUST_CHECK;

/* HMAC-SHA-256 of LEN bytes. KEY may be the same memory as OUT. */
void digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN]);

/* MD5, only for protocols that ask for it. False where the library's policy forbids it (FIPS). */
bool digest_md5(const void *data, size_t len, uint8_t out[DIGEST_MD5_LEN]) MUST_CHECK;

/* LEN bytes in base64 with padding, and a NUL: DIGEST_BASE64(LEN) bytes. */
void digest_base64(const void *data, size_t len, char *out);

/* The reverse: TEXT is exactly LEN bytes in such base64, into OUT; false when it is anything else. */
bool digest_unbase64(const char *text, size_t len, void *out) MUST_CHECK;

/* LEN bytes from the kernel's random source. */
void digest_random(void *out, size_t len);

/* A random (version 4) UUID in its text form. */
void digest_uuid(char out[DIGEST_UUID_TEXT]);

/* OpenSSL's version, for `remora version`. */
const char *digest_library_version(void);

#endif
