/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c: see digest.h. */
#include "base/digest.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "base/units.h"

void
digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN])
{
    unsigned written = 0;

    REQUIRE(EVP_Digest(data, len, out, &written, EVP_sha256(), NULL) == 1);
    REQUIRE(written == DIGEST_SHA256_LEN);
}

bool
digest_sha256_equal(const uint8_t a[DIGEST_SHA256_LEN], const uint8_t b[DIGEST_SHA256_LEN])
{
    return CRYPTO_memcmp(a, b, DIGEST_SHA256_LEN) == 0;
}

void
digest_sha256_hex(const void *data, size_t len, char out[DIGEST_SHA256_HEX])
{
    uint8_t raw[DIGEST_SHA256_LEN];

    digest_sha256(data, len, raw);
    units_hex(raw, sizeof(raw), out);
}

void
digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[DIGEST_SHA256_LEN])
{
    uint8_t mac[DIGEST_SHA256_LEN];
    unsigned written = 0;

    REQUIRE(key_len <= INT_MAX);
    REQUIRE(HMAC(EVP_sha256(), key, (int)key_len, data, len, mac, &written) != NULL);
    REQUIRE(written == DIGEST_SHA256_LEN);
    memcpy(out, mac, sizeof(mac));
}

bool
digest_md5(const void *data, size_t len, uint8_t out[DIGEST_MD5_LEN])
{
    unsigned written = 0;

    return EVP_Digest(data, len, out, &written, EVP_md5(), NULL) == 1 && written == DIGEST_MD5_LEN;
}

void
digest_base64(const void *data, size_t len, char *out)
{
    REQUIRE(len <= INT_MAX / 2);
    (void)EVP_EncodeBlock((unsigned char *)out, data, (int)len);
}

bool
digest_unbase64(const char *text, size_t len, void *out)
{
    size_t text_len = DIGEST_BASE64(len) - 1;
    unsigned char *data;
    char *again;
    bool is_proper = false;

    REQUIRE(len <= INT_MAX / 2);
    if (strlen(text) != text_len)
        return false;
    data = mem_new(text_len + 1); /* the library writes zeros for the padding */
    again = mem_new(text_len + 1);
    if (EVP_DecodeBlock(data, (const unsigned char *)text, (int)text_len) >= 0) {
        digest_base64(data, len, again); /* it takes spaces at the ends, and padding anywhere */
        is_proper = strcmp(again, text) == 0;
    }
    if (is_proper)
        memcpy(out, data, len);
    mem_wipe(data, text_len);
    mem_wipe(again, text_len);
    free(data);
    free(again);
    return is_proper;
}

void
digest_random(void *out, size_t len)
{
    REQUIRE(len <= 256); /* getrandom(2) gives as much in one call, never less */
    REQUIRE(getrandom(out, len, 0) == (ssize_t)len);
}

void
digest_uuid(char out[DIGEST_UUID_TEXT])
{
    uint8_t r[16];
    char hex[33];

    digest_random(r, sizeof(r));
    r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
    r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
    units_hex(r, sizeof(r), hex);
    (void)snprintf(out, DIGEST_UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

const char *
digest_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
