/* SPDX-License-Identifier: Apache-2.0 */
/* test_manifest.c: everything there and back, the digest's framing computed a second time, and every damage. */
#include "snapshot/repo/manifest.h"

#include <openssl/sha.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/repo/repo.h"
#include "tests/support/repo_case.h"
#include "tests/support/test_common.h"

#define ID "20261122T103000Z-1a2b3c"

#define SET(field, text) (void)snprintf(field, sizeof(field), "%s", text)

static void
fill_rdb(struct rdb_info *rdb)
{
    rdb->kind = RDB_VALKEY;
    rdb->version = 80;
    rdb->parsed = false;
    SET(rdb->unparsed_why, "type 99 at byte 77");
    rdb->crc_state = RDB_CRC_GOOD;
    rdb->crc_computed = 0x0123456789abcdef;
    rdb->crc_stored = 0xfedcba9876543210;
    rdb->keys = 111;
    rdb->expires = 22;
    for (uint64_t t = 0; t < RDB_TYPE_COUNT; t++)
        rdb->types[t] = 1000 + t;
    rdb->functions = 3;
    rdb->dbs = mem_array(2, sizeof(*rdb->dbs));
    rdb->dbs[0] = (struct rdb_db){.number = 0, .keys = 100, .expires = 20};
    rdb->dbs[1] = (struct rdb_db){.number = 15, .keys = 11, .expires = 2};
    rdb->db_count = 2;
    rdb->modules = mem_array(1, sizeof(*rdb->modules));
    rdb->modules[0] = (struct rdb_module){.name = "ReJSON-RL", .encver = 3, .keys = 9};
    rdb->module_count = 1;
    SET(rdb->server_version, "9.0.1");
    SET(rdb->repl_id, "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb");
    rdb->ctime_s = 1795343399;
    rdb->used_memory = 0;
    rdb->repl_offset = INT64_MAX;
    rdb->repl_stream_db = 5;
    rdb->aof_base = 1;
}

static void
fill_source(struct server_facts *f)
{
    f->known = f->config_known = true;
    SET(f->kind, "valkey");
    SET(f->version, "9.0.1");
    SET(f->run_id, "0000000000000000000000000000000000000001");
    SET(f->role, "replica");
    SET(f->host, "redis-1 \"quoted\" \\ caf\xc3\xa9 \x01\x1f");
    SET(f->address, "redis-1.redis:6379");
    SET(f->repl_id, "8371b4fb1155b71f4a04d3e1bc3e18c4a990aeeb");
    f->repl_offset = 0;
    SET(f->modules, "ReJSON,search");
    SET(f->config.dir, "/data");
    SET(f->config.dbfilename, "dump.rdb");
    SET(f->config.appendonly, "yes");
    SET(f->config.appenddirname, "appendonlydir");
    SET(f->config.appendfilename, "appendonly.aof");
    SET(f->config.databases, "16");
    SET(f->config.maxmemory, "0");
    SET(f->config.save, "3600 1 300 100");
    SET(f->config.cluster_enabled, "no");
    SET(f->config.rdbcompression, "no");
}

static struct manifest *
full_manifest(void)
{
    struct err err = ERR_INIT;
    struct manifest *m = manifest_new();

    assert_true(backup_id_parse(ID, &m->id, NULL));
    digest_uuid(m->uuid);
    SET(m->instance, CASE_INSTANCE);
    SET(m->method, "bgsave");
    SET(m->tool_version, "0.1.0");
    m->snapshot_ms = 1795343400123;
    m->started_ms = 1795343399999;
    m->finished_ms = 1795343461001;
    m->level = 19;
    m->suspicious = true;
    SET(m->rdb_member.name, "rdb");
    m->rdb_member.raw_size = 9223372036854775807;
    m->rdb_member.stored_size = 5;
    m->rdb_member.segments = 7;
    m->rdb_member.index_size = 700;
    digest_sha256("x", 1, m->rdb_member.index_sha256);
    SET(m->config_member.name, "config");
    m->config_member.raw_size = 10240;
    m->config_member.stored_size = 900;
    m->config_member.segments = 1;
    m->config_member.index_size = 130;
    digest_sha256("y", 1, m->config_member.index_sha256);
    fill_rdb(&m->rdb);
    fill_source(&m->source);
    manifest_add_finding(m, "shrink", "1 key, not 100 \"caf\xc3\xa9\"");
    manifest_add_finding(m, "of-a-later-day", "");
    assert_ok(manifest_add_tag(m, "team", "caf\xc3\xa9 \"\\\n", &err), &err);
    assert_ok(manifest_add_tag(m, "\xe2\x98\x83", "", &err), &err);
    assert_ok(manifest_add_tag(m, "a key", ",\"sha256\":\"00\"}", &err), &err);
    return m;
}

static void
assert_same_rdb(const struct rdb_info *a, const struct rdb_info *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->parsed, b->parsed);
    assert_string_equal(a->unparsed_why, b->unparsed_why);
    assert_int_equal(a->crc_state, b->crc_state);
    assert_int_equal(a->crc_computed, b->crc_computed);
    assert_int_equal(a->crc_stored, b->crc_stored);
    assert_int_equal(a->keys, b->keys);
    assert_int_equal(a->expires, b->expires);
    assert_memory_equal(a->types, b->types, sizeof(a->types));
    assert_int_equal(a->functions, b->functions);
    assert_int_equal(a->db_count, b->db_count);
    for (size_t i = 0; i < a->db_count; i++)
        assert_memory_equal(&a->dbs[i], &b->dbs[i], sizeof(a->dbs[i]));
    assert_int_equal(a->module_count, b->module_count);
    for (size_t i = 0; i < a->module_count; i++) {
        assert_string_equal(a->modules[i].name, b->modules[i].name);
        assert_int_equal(a->modules[i].encver, b->modules[i].encver);
        assert_int_equal(a->modules[i].keys, b->modules[i].keys);
    }
    assert_string_equal(a->server_version, b->server_version);
    assert_string_equal(a->repl_id, b->repl_id);
    assert_int_equal(a->ctime_s, b->ctime_s);
    assert_int_equal(a->used_memory, b->used_memory);
    assert_int_equal(a->repl_offset, b->repl_offset);
    assert_int_equal(a->repl_stream_db, b->repl_stream_db);
    assert_int_equal(a->aof_base, b->aof_base);
}

static void
assert_same_member(const struct manifest_member *a, const struct manifest_member *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->raw_size, b->raw_size);
    assert_int_equal(a->stored_size, b->stored_size);
    assert_int_equal(a->segments, b->segments);
    assert_int_equal(a->index_size, b->index_size);
    assert_memory_equal(a->index_sha256, b->index_sha256, DIGEST_SHA256_LEN);
}

static void
assert_same(const struct manifest *a, const struct manifest *b)
{
    assert_string_equal(a->id.text, b->id.text);
    assert_string_equal(a->uuid, b->uuid);
    assert_string_equal(a->instance, b->instance);
    assert_string_equal(a->method, b->method);
    assert_string_equal(a->tool_version, b->tool_version);
    assert_int_equal(a->snapshot_ms, b->snapshot_ms);
    assert_int_equal(a->started_ms, b->started_ms);
    assert_int_equal(a->finished_ms, b->finished_ms);
    assert_int_equal(a->level, b->level);
    assert_int_equal(a->suspicious, b->suspicious);
    assert_same_member(&a->rdb_member, &b->rdb_member);
    assert_same_member(&a->config_member, &b->config_member);
    assert_same_rdb(&a->rdb, &b->rdb);
    assert_memory_equal(&a->source, &b->source, sizeof(a->source)); /* zeroed, then text: no bytes between count */
    assert_int_equal(a->finding_count, b->finding_count);
    for (size_t i = 0; i < a->finding_count; i++) {
        assert_string_equal(a->findings[i].guard, b->findings[i].guard);
        assert_string_equal(a->findings[i].text, b->findings[i].text);
    }
    assert_int_equal(a->tag_count, b->tag_count);
    for (size_t i = 0; i < a->tag_count; i++) {
        assert_string_equal(a->tags[i].key, b->tags[i].key);
        assert_string_equal(a->tags[i].value, b->tags[i].value);
    }
}

static struct manifest *
there_and_back(const struct manifest *m)
{
    struct err err = ERR_INIT;
    struct manifest *back = NULL;
    size_t len = 0;
    char *text = manifest_write(m, &len);

    assert_int_equal(strlen(text), len);
    assert_ok(manifest_parse(text, len, &back, &err), &err);
    free(text);
    return back;
}

static void
manifest__every_field__there_and_back(void **state)
{
    struct manifest *m = full_manifest(), *back = there_and_back(m);

    (void)state;
    assert_same(m, back);
    manifest_free(back);
    manifest_free(m);
}

static void
manifest__bare_file__unknowns_stay_unknown(void **state)
{
    struct err err = ERR_INIT;
    struct manifest *back = NULL;
    size_t len = 0;
    char *text = repo_case_manifest(ID, false, &len);

    (void)state;
    assert_ok(manifest_parse(text, len, &back, &err), &err);
    assert_false(back->source.known);
    assert_false(back->source.config_known);
    assert_false(back->suspicious);
    assert_int_equal(back->config_member.segments, 0);
    assert_int_equal(back->rdb.ctime_s, -1);
    assert_int_equal(back->rdb.repl_offset, -1);
    assert_int_equal(back->rdb.aof_base, -1);
    assert_string_equal(back->rdb.repl_id, "");
    assert_string_equal(back->source.repl_id, "");
    assert_int_equal(back->finding_count, 0);
    assert_int_equal(back->tag_count, 0);
    manifest_free(back);
    free(text);
}

static void
manifest_add_finding__too_many_and_too_long__are_cut(void **state)
{
    struct manifest *m = manifest_new();
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (unsigned i = 0; i < MANIFEST_FINDINGS_MAX + 3; i++)
        manifest_add_finding(m, text, text);
    assert_int_equal(m->finding_count, MANIFEST_FINDINGS_MAX);
    assert_int_equal(strlen(m->findings[0].guard), sizeof(m->findings[0].guard) - 1);
    assert_int_equal(strlen(m->findings[MANIFEST_FINDINGS_MAX - 1].text), sizeof(m->findings[0].text) - 1);
    manifest_free(m);
}

/* What stands in "guards" of a manifest that something else wrote, and how many findings come of it. */
static void
expect_findings(const char *list, size_t count, const char *guard)
{
    struct manifest *m = manifest_new(), *back = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;
    char *good, *forged, *guards = mem_printf("\"guards\":%s", list);

    assert_true(backup_id_parse(ID, &m->id, NULL));
    SET(m->rdb_member.name, "rdb");
    good = manifest_write(m, &len);
    forged = repo_case_forge(good, &len, "\"guards\":[]", guards);
    assert_ok(manifest_parse(forged, len, &back, &err), &err);
    assert_int_equal(back->finding_count, count);
    if (count > 0)
        assert_string_equal(back->findings[0].guard, guard);
    manifest_free(back);
    manifest_free(m);
    free(forged);
    free(good);
    free(guards);
}

static void
manifest_parse__guards_of_others__never_stand_in_the_way(void **state)
{
    (void)state;
    expect_findings("null", 0, "");
    expect_findings("{}", 0, "");
    expect_findings("\"shrink\"", 0, "");
    expect_findings("[1,null,\"x\",[]]", 0, "");
    expect_findings("[{}]", 1, "");
    expect_findings("[7,{\"guard\":\"moon-phase\",\"text\":5,\"more\":[]}]", 1, "moon-phase");
    expect_findings("[{\"guard\":\"a\"},{},{},{},{},{},{},{},{},{},{},{}]", MANIFEST_FINDINGS_MAX, "a");
}

static void
manifest__foreign_text_not_utf8__becomes_question_marks(void **state)
{
    struct manifest *m = full_manifest(), *back;

    (void)state;
    SET(m->source.host, "h\xff\xfe\xc3");
    SET(m->source.config.dir, "/caf\xe9");
    back = there_and_back(m);
    assert_string_equal(back->source.host, "h???");
    assert_string_equal(back->source.config.dir, "/caf?");
    manifest_free(back);
    manifest_free(m);
}

/* "The hex SHA-256 of every byte before the comma in front of it; the object ends with "} and a newline." Said again
 * here with the library's own function and nothing of ours. */
static void
manifest_write__digest__as_the_format_says(void **state)
{
    struct manifest *m = full_manifest();
    unsigned char sha[SHA256_DIGEST_LENGTH];
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
    size_t len = 0;
    char *text = manifest_write(m, &len), *comma;

    (void)state;
    assert_string_equal(text + len - 3, "\"}\n");
    comma = strrchr(text, ',');
    assert_memory_equal(comma, ",\"sha256\":\"", 11);
    assert_int_equal(text + len - (comma + 11), 64 + 3);
    (void)SHA256((const unsigned char *)text, (size_t)(comma - text), sha);
    for (size_t i = 0; i < sizeof(sha); i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", sha[i]);
    assert_memory_equal(comma + 11, hex, 64);
    assert_null(memchr(text, '\n', len - 1)); /* one line */
    free(text);
    manifest_free(m);
}

static void
manifest_parse__every_bit_of_every_byte__corrupt(void **state)
{
    struct manifest *m = full_manifest(), *back = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;
    char *text = manifest_write(m, &len);

    (void)state;
    for (size_t at = 0; at < len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            text[at] = (char)(text[at] ^ 1 << bit);
            if (manifest_parse(text, len, &back, &err) == 0)
                fail_msg("byte %zu, bit %d", at, bit);
            assert_int_equal(err.code, ERR_CORRUPT);
            text[at] = (char)(text[at] ^ 1 << bit);
        }
    }
    assert_null(back);
    free(text);
    manifest_free(m);
}

static void
manifest_parse__every_truncation_and_more__corrupt(void **state)
{
    struct manifest *m = full_manifest(), *back = NULL;
    struct err err = ERR_INIT;
    size_t len = 0;
    char *text = manifest_write(m, &len), *more = mem_printf("%s\n", text), *twice = mem_printf("%s%s", text, text);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        char *exact = mem_new(cut); /* so that a checker sees a byte read behind it */

        memcpy(exact, text, cut);
        assert_fails(manifest_parse(exact, cut, &back, &err), &err, ERR_CORRUPT);
        assert_fails(manifest_parse(text + cut + 1, len - cut - 1, &back, &err), &err, ERR_CORRUPT);
        free(exact);
    }
    assert_fails(manifest_parse(more, len + 1, &back, &err), &err, ERR_CORRUPT);
    assert_fails(manifest_parse(twice, 2 * len, &back, &err), &err, ERR_CORRUPT);
    free(more);
    free(twice);
    free(text);
    manifest_free(m);
}

/* What manifests with a good digest may still be. WHAT in the full manifest is replaced by TEXT. */
static int
parse_forged(const char *what, const char *text, struct err *err)
{
    struct manifest *m = full_manifest(), *back = NULL;
    size_t len = 0;
    char *good = manifest_write(m, &len), *forged = repo_case_forge(good, &len, what, text);
    int rc = manifest_parse(forged, len, &back, err);

    free(good);
    free(forged);
    manifest_free(m);
    if (rc == 0)
        manifest_free(back);
    return rc;
}

static void
manifest_parse__requires__unknown_refused(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(parse_forged("\"requires\":[]", "\"requires\":[\"encryption-1\"]", &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "encryption-1"));
    assert_fails(parse_forged("\"requires\":[]", "\"requires\":[\"zstd-prefix\"]", &err), &err, ERR_UNSUPPORTED);
    assert_fails(parse_forged("\"requires\":[]", "\"requires\":[\"set\"]", &err), &err, ERR_UNSUPPORTED);
    assert_fails(parse_forged("\"requires\":[]", "\"requires\":[7]", &err), &err, ERR_UNSUPPORTED);
    assert_fails(parse_forged("\"requires\":[]", "\"requires\":\"x\"", &err), &err, ERR_CORRUPT);
    assert_fails(parse_forged("\"requires\":[],", "", &err), &err, ERR_CORRUPT);
}

static void
manifest_parse__newer_version__unsupported_before_all_else(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_fails(parse_forged("\"remora-backup\",\"version\":1,", "\"remora-backup\",\"version\":2,", &err), &err,
                 ERR_UNSUPPORTED);
    /* A newer one may have other fields in place of ours. */
    assert_fails(parse_forged("\"remora-backup\",\"version\":1,\"requires\":[],\"id\":\"" ID "\"",
                              "\"remora-backup\",\"version\":999999,\"name\":7", &err),
                 &err, ERR_UNSUPPORTED);
    assert_fails(parse_forged("\"remora-backup\"", "\"remora-log\"", &err), &err, ERR_CORRUPT);
}

static void
manifest_parse__unknown_fields__ignored(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(parse_forged("\"requires\":[]", "\"requires\":[],\"new\":{\"a\":[1,2.5,null]},\"x\":null", &err), &err);
    assert_ok(parse_forged("\"members\":{", "\"members\":{\"extra\":{\"raw_size\":\"?\"},", &err), &err);
    assert_ok(parse_forged("\"types\":{", "\"types\":{\"vectorset\":9,", &err), &err);
    assert_ok(parse_forged("\"aux\":{", "\"aux\":{\"new\":[],", &err), &err);
}

static void
manifest_parse__fields_missing_or_wrong__corrupt(void **state)
{
    static const char *const wrong[][2] = {
        {"\"id\":\"" ID "\"", "\"id\":\"20261122\""},
        {"\"id\":\"" ID "\",", ""},
        {"\"id\":\"" ID "\"", "\"id\":\"" ID "\",\"id\":\"" ID "\""},
        {"\"method\":\"bgsave\"", "\"method\":\"0123456789abcdef\""}, /* one too long */
        {"\"method\":\"bgsave\"", "\"method\":null"},
        {"\"snapshot_time\":\"2026-11-22T10:30:00.123Z\"", "\"snapshot_time\":\"yesterday\""},
        {"\"segments\":7", "\"segments\":-7"},
        {"\"segments\":7", "\"segments\":7.5"},
        {"\"segments\":7,", ""},
        {"\"index_size\":700", "\"index_size\":\"700\""},
        {"\"members\":{", "\"members\":[],\"other\":{"},
        {"\"members\":{\"rdb\":", "\"members\":{\"aof\":"},
        {"\"config\":{\"raw_size\"", "\"config\":{\"size\""},
        {"\"segments\":1,", "\"segments\":0,"},
        {"\"config\":{\"raw_size\"", "\"config\":7,\"other\":{\"raw_size\""},
        {"\"crc64_stored\":\"fedcba9876543210\"", "\"crc64_stored\":\"fedcba987654321\""},
        {"\"crc64_stored\":\"fedcba9876543210\"", "\"crc64_stored\":\"fedcba987654321g\""},
        {"\"crc_state\":\"good\",", ""},
        {"\"kind\":\"valkey\",\"version\":80", "\"kind\":5,\"version\":80"},
        {"\"databases\":[{", "\"databases\":[7,{"},
        {"\"db\":15", "\"db\":-15"},
        {"\"a key\":", "\"team\":"},
        {"\"a key\":", "\"\":"},
        {"\"tags\":{", "\"tags\":{\"n\":5,"},
    };
    struct err err = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        if (parse_forged(wrong[i][0], wrong[i][1], &err) == 0)
            fail_msg("%s in place of %s was taken", wrong[i][1], wrong[i][0]);
        assert_fails(-1, &err, ERR_CORRUPT);
    }
}

/* A value that this version has no word for must not be taken for one that it has. */
static void
manifest_parse__unknown_words__unsupported(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_fails(parse_forged("\"kind\":\"valkey\",\"version\":80", "\"kind\":\"dragon\",\"version\":80", &err), &err,
                 ERR_UNSUPPORTED);
    assert_fails(parse_forged("\"crc_state\":\"good\"", "\"crc_state\":\"great\"", &err), &err, ERR_UNSUPPORTED);
    assert_fails(parse_forged("\"version\":80", "\"version\":4294967376", &err), &err, ERR_UNSUPPORTED);
}

static void
manifest_add_tag__bad_tags__refused_before_anything_is_stored(void **state)
{
    struct err err = ERR_INIT;
    struct manifest *m = manifest_new();
    char text[MANIFEST_TAG_VALUE_MAX + 2], key[16];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_fails(manifest_add_tag(m, "", "v", &err), &err, ERR_USAGE);
    assert_fails(manifest_add_tag(m, "k", text, &err), &err, ERR_USAGE);
    assert_fails(manifest_add_tag(m, text, "v", &err), &err, ERR_USAGE);
    assert_fails(manifest_add_tag(m, "caf\xe9", "v", &err), &err, ERR_USAGE);
    assert_fails(manifest_add_tag(m, "k", "caf\xe9", &err), &err, ERR_USAGE);
    assert_int_equal(m->tag_count, 0);
    for (int i = 0; i < MANIFEST_TAGS_MAX; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        assert_ok(manifest_add_tag(m, key, text + 1, &err), &err);
        assert_fails(manifest_add_tag(m, key, "v", &err), &err, ERR_USAGE);
    }
    assert_fails(manifest_add_tag(m, "one-more", "v", &err), &err, ERR_USAGE);
    manifest_free(m);
}

/* A manifest with all databases that the scanner counts can be read back: it fits the ceiling of a small object. */
static void
manifest_write__most_databases__fits(void **state)
{
    struct err err = ERR_INIT;
    struct manifest *m = full_manifest(), *back = NULL;
    size_t len = 0, count = 65536;
    char *text;

    (void)state;
    m->rdb.dbs = mem_grow(m->rdb.dbs, count, sizeof(*m->rdb.dbs));
    for (size_t i = 0; i < count; i++)
        m->rdb.dbs[i] = (struct rdb_db){.number = 2147418111 + i, .keys = 1000000000000 + i, .expires = 1000000000000};
    m->rdb.db_count = count;
    text = manifest_write(m, &len);
    assert_true(len < REPO_SMALL_OBJECT);
    assert_ok(manifest_parse(text, len, &back, &err), &err);
    assert_int_equal(back->rdb.db_count, count);
    assert_memory_equal(back->rdb.dbs, m->rdb.dbs, count * sizeof(*m->rdb.dbs));
    manifest_free(back);
    manifest_free(m);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest__every_field__there_and_back),
        cmocka_unit_test(manifest__bare_file__unknowns_stay_unknown),
        cmocka_unit_test(manifest_add_finding__too_many_and_too_long__are_cut),
        cmocka_unit_test(manifest_parse__guards_of_others__never_stand_in_the_way),
        cmocka_unit_test(manifest__foreign_text_not_utf8__becomes_question_marks),
        cmocka_unit_test(manifest_write__digest__as_the_format_says),
        cmocka_unit_test(manifest_parse__every_bit_of_every_byte__corrupt),
        cmocka_unit_test(manifest_parse__every_truncation_and_more__corrupt),
        cmocka_unit_test(manifest_parse__requires__unknown_refused),
        cmocka_unit_test(manifest_parse__newer_version__unsupported_before_all_else),
        cmocka_unit_test(manifest_parse__unknown_fields__ignored),
        cmocka_unit_test(manifest_parse__fields_missing_or_wrong__corrupt),
        cmocka_unit_test(manifest_parse__unknown_words__unsupported),
        cmocka_unit_test(manifest_add_tag__bad_tags__refused_before_anything_is_stored),
        cmocka_unit_test(manifest_write__most_databases__fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
