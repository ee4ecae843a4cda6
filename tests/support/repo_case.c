/* SPDX-License-Identifier: Apache-2.0 */
/* repo_case.c: see repo_case.h. */
#include "tests/support/repo_case.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/rdb/crc64.h"
#include "snapshot/repo/segment.h"
#include "storage/store_fault.h"
#include "storage/store_mem.h"
#include "tests/support/source_mem.h"
#include "tests/support/test_common.h"

const struct read_options case_reading = {.jobs = 2, .memory = (uint64_t)64 << 20};

void
repo_case_open(struct repo_case *c)
{
    struct err err = ERR_INIT;
    struct repo_made made;

    c->mem = store_mem_new();
    c->store = store_fault_new(c->mem);
    assert_ok(repo_init(c->store, CASE_INSTANCE, &made, &err), &err);
    assert_ok(repo_open(c->store, &c->repo, &err), &err);
    store_fault_reset_counts(c->store);
}

void
repo_case_close(struct repo_case *c)
{
    store_free(c->store);
}

/* The bytes that stand around a value of LEN bytes: the key's record without the value. */
#define FIRST_PAD_MIN 64

static void
add_noise(struct rdb_build *b, size_t len, uint64_t seed)
{
    uint8_t *noise = mem_new(len);

    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        noise[i] = (uint8_t)(seed >> 56);
    }
    rdb_build_raw(b, noise, len);
    free(noise);
}

/* A string key whose record takes exactly BYTES bytes (at least FIRST_PAD_MIN). */
static void
add_key(struct rdb_build *b, size_t bytes, unsigned number)
{
    char key[16];
    size_t len = bytes - (1 + 1 + 8 + 5);

    (void)snprintf(key, sizeof(key), "key%05u", number);
    rdb_build_byte(b, 0); /* a string */
    rdb_build_str(b, key);
    rdb_build_byte(b, 0x80); /* the length in four bytes, whatever it is */
    for (int shift = 24; shift >= 0; shift -= 8)
        rdb_build_byte(b, (unsigned)(len >> shift) & 0xff);
    add_noise(b, len, number + 1);
}

void
repo_case_dump(struct rdb_build *b, size_t bytes, int64_t ctime_s)
{
    char text[24];
    uint64_t crc;
    unsigned number = 0;

    rdb_build_init(b, "REDIS0011");
    rdb_build_aux(b, "redis-ver", "7.2.4");
    if (ctime_s > 0) {
        (void)snprintf(text, sizeof(text), "%" PRId64, ctime_s);
        rdb_build_aux(b, "ctime", text);
    }
    rdb_build_select(b, 3);
    assert_true(bytes >= b->len + FIRST_PAD_MIN + 9);
    for (size_t left = bytes - b->len - 9; left > 0; left = bytes - b->len - 9) {
        size_t take = left < 2000 + FIRST_PAD_MIN ? left : 2000;

        add_key(b, take, number++);
    }
    rdb_build_byte(b, 0xff);
    crc = crc64(0, b->data, b->len); /* the builder's own is by the definition, and slow for megabytes */
    for (int i = 0; i < 8; i++)
        rdb_build_byte(b, (unsigned)(crc >> (8 * i)) & 0xff);
    assert_int_equal(b->len, bytes);
}

struct backup_options
repo_case_options(const struct repo_case *c, unsigned jobs)
{
    return (struct backup_options){.repo = &c->repo,
                                   .instance = CASE_INSTANCE,
                                   .plan = {.segment_bytes = CASE_SEGMENT, .jobs = jobs, .level = 1},
                                   .tool_version = "0.0.test"};
}

struct manifest *
repo_case_backup(const struct repo_case *c, const struct rdb_build *dump)
{
    struct backup_options o = repo_case_options(c, 2);
    struct manifest *m = NULL;
    struct source_mem source;
    struct err err = ERR_INIT;

    source_mem_init(&source, dump->data, dump->len);
    assert_ok(backup_run(&o, &source.source, &m, &err), &err);
    return m;
}

static bool
count_one(const struct store_object *object, void *cookie)
{
    (void)object;
    ++*(size_t *)cookie;
    return true;
}

size_t
repo_case_count(struct store *s, const char *prefix)
{
    struct store_list what = {.prefix = prefix};
    struct err err = ERR_INIT;
    size_t n = 0;

    assert_ok(store_list(s, &what, count_one, &n, &err), &err);
    return n;
}

char *
repo_case_get(struct store *s, const char *key, size_t *len)
{
    struct err err = ERR_INIT;
    char *data = NULL;

    assert_ok(store_get_all(s, key, (size_t)64 << 20, &data, len, &err), &err);
    return data;
}

void
repo_case_put(struct store *s, const char *key, const void *data, size_t len)
{
    struct store_put put = {.key = key, .data = data, .len = len};
    struct err err = ERR_INIT;

    assert_ok(store_put(s, &put, &err), &err);
}

void
repo_case_remove(struct store *s, const char *key)
{
    struct err err = ERR_INIT;

    assert_ok(store_remove(s, key, &err), &err);
}

char *
repo_case_manifest(const char *id, bool suspicious, size_t *len)
{
    struct manifest *m = manifest_new();
    char *data;

    assert_true(backup_id_parse(id, &m->id, &m->snapshot_ms));
    digest_uuid(m->uuid);
    (void)snprintf(m->instance, sizeof(m->instance), "%s", CASE_INSTANCE);
    (void)snprintf(m->method, sizeof(m->method), "file");
    (void)snprintf(m->tool_version, sizeof(m->tool_version), "0.0.test");
    (void)snprintf(m->rdb_member.name, sizeof(m->rdb_member.name), "%s", LAYOUT_MEMBER_RDB);
    m->suspicious = suspicious;
    data = manifest_write(m, len);
    manifest_free(m);
    return data;
}

char *
repo_case_forge(const char *data, size_t *len, const char *what, const char *text)
{
    static const char mark[] = ",\"sha256\":\"";
    const char *at = strstr(data, what), *end = data + *len - (sizeof(mark) - 1) - 64 - 3;
    char digest[DIGEST_SHA256_HEX], *body, *out;

    assert_non_null(at);
    assert_null(strstr(at + 1, what));
    assert_memory_equal(end, mark, sizeof(mark) - 1);
    body = mem_printf("%.*s%s%.*s", (int)(at - data), data, text, (int)(end - at - (ptrdiff_t)strlen(what)),
                      at + strlen(what));
    digest_sha256_hex(body, strlen(body), digest);
    out = mem_printf("%s%s%s\"}\n", body, mark, digest);
    free(body);
    *len = strlen(out);
    return out;
}
