/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_assets.c: page.css and page.js, which the assembler takes into the program as they are, and the policy that lets
 * a browser run these and nothing else.
 */
#include <pthread.h>
#include <stdio.h>

#include "agent/sidecar/page.h"
#include "agent/sidecar/page_parts.h"
#include "base/digest.h"

#define ASSET(name, file)                                                                                              \
    extern const char asset_##name[];                                                                                  \
    extern const uint64_t asset_##name##_len;                                                                          \
    __asm__(".pushsection .rodata\n"                                                                                   \
            ".balign 8\n"                                                                                              \
            "asset_" #name "_len: .quad asset_" #name "_end - asset_" #name "\n"                                       \
            "asset_" #name ": .incbin \"" file "\"\n"                                                                  \
            "asset_" #name "_end: .byte 0\n"                                                                           \
            ".popsection\n")

ASSET(style, "agent/sidecar/page.css");
ASSET(script, "agent/sidecar/page.js");

const char *
page_style(size_t *len)
{
    *len = (size_t)asset_style_len;
    return asset_style;
}

const char *
page_script(size_t *len)
{
    *len = (size_t)asset_script_len;
    return asset_script;
}

static char policy[512];

static void
hash(const char *data, size_t len, char out[DIGEST_BASE64(DIGEST_SHA256_LEN)])
{
    uint8_t digest[DIGEST_SHA256_LEN];

    digest_sha256(data, len, digest);
    digest_base64(digest, sizeof(digest), out);
}

static void
make_policy(void)
{
    char style[DIGEST_BASE64(DIGEST_SHA256_LEN)], script[DIGEST_BASE64(DIGEST_SHA256_LEN)];
    size_t len;
    const char *text = page_style(&len);

    hash(text, len, style);
    text = page_script(&len);
    hash(text, len, script);
    (void)snprintf(policy, sizeof(policy),
                   "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; connect-src 'self'; "
                   "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                   style, script);
}

const char *
page_policy(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    REQUIRE(pthread_once(&once, make_policy) == 0);
    return policy;
}
