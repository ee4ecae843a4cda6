/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_redis_conf.c: any bytes at all as the configuration of a server, and as its version. What has to hold: the same
 * bytes mean the same again; what was taken is of its kind; an error is one of usage.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/redis/redis_conf.h"
#include "snapshot/redis/server_fit.h"

/* Each include feeds a line of its own, so that a text goes on behind one. */
static int
include(const char *pattern, void *cookie, struct err *err)
{
    static const char line[] = "dbfilename included";
    const struct redis_conf_source source = {.name = "included", .include = include, .cookie = cookie};

    (void)pattern;
    return redis_conf_parse(cookie, &source, line, sizeof(line) - 1, err);
}

static bool
is_yes_no(const char *text)
{
    return *text == '\0' || strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
}

static int
parse(const char *text, size_t size, struct redis_conf *conf, struct err *err)
{
    const struct redis_conf_source source = {.name = "fuzz", .include = include, .cookie = conf};

    memset(conf, 0, sizeof(*conf));
    return redis_conf_parse(conf, &source, text, size, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis_conf *first = mem_new(sizeof(*first)), *second = mem_new(sizeof(*second));
    struct err err = ERR_INIT, again = ERR_INIT;
    struct server_version version;
    char *text = mem_new(size > 0 ? size : 1); /* no NUL behind it, so that a read past its end is seen */
    int rc;

    if (size > 0)
        memcpy(text, data, size);
    rc = parse(text, size, first, &err);
    REQUIRE(rc == parse(text, size, second, &again) && strcmp(err.msg, again.msg) == 0);
    REQUIRE(memcmp(&first->config, &second->config, sizeof(first->config)) == 0);
    REQUIRE(rc == 0 || err.code == ERR_USAGE);
    REQUIRE(is_yes_no(first->config.appendonly) && is_yes_no(first->aof_use_rdb_preamble));
    REQUIRE(strspn(first->config.databases, "0123456789") == strlen(first->config.databases));
    REQUIRE(strspn(first->config.maxmemory, "0123456789") == strlen(first->config.maxmemory));
    free(text);
    text = mem_strndup((const char *)data, size);
    err_clear(&err);
    rc = server_version_parse(text, &version, &err);
    REQUIRE(rc == 0 ? version.kinds != 0 : err.code == ERR_USAGE);
    free(text);
    free(first);
    free(second);
    return 0;
}
