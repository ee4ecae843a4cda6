/* SPDX-License-Identifier: Apache-2.0 */
/* test_load_compare.c: what may be missing in a server that has loaded a dump, and what may not. */
#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snapshot/load_compare.h"

static struct rdb_db dbs[] = {{0, 100, 10}, {3, 5, 5}, {15, 1, 0}};

/* 106 keys, 15 of them with a time to live, in databases 0, 3 and 15; 20 hashes. */
static struct rdb_info
manifest(void)
{
    struct rdb_info said = {.parsed = true, .keys = 106, .expires = 15, .dbs = dbs, .db_count = ARRAY_LEN(dbs)};

    said.types[RDB_STRING] = 86;
    said.types[RDB_HASH] = 20;
    return said;
}

/* The figures of a server: what it counted, then its databases. LOADED < 0: a server that does not count. */
struct figures {
    int loaded, dropped;  /* while loading */
    int expired, subkeys; /* since */
    const char *keyspace; /* lines */
    uint64_t functions, skipped;
};

static int
compare(const struct rdb_info *said, const struct figures *f, uint64_t *expired, struct err *err)
{
    char *counted = f->loaded < 0 ? mem_strdup("")
                                  : mem_printf("rdb_last_load_keys_expired:%d\r\nrdb_last_load_keys_loaded:%d\r\n",
                                               f->dropped, f->loaded);
    char *info = mem_printf("# Persistence\r\nloading:0\r\n%s# Stats\r\nexpired_keys:%d\r\nexpired_subkeys:%d\r\n"
                            "# Keyspace\r\n%s",
                            counted, f->expired, f->subkeys, f->keyspace);
    const struct load_seen seen = {.info = info, .functions = f->functions, .skipped = f->skipped};
    int rc = load_compare(said, &seen, expired, err);

    free(counted);
    free(info);
    return rc;
}

static void
good(const struct rdb_info *said, const struct figures *f, uint64_t want_expired)
{
    struct err err = ERR_INIT;
    uint64_t expired = 99999;

    assert_ok(compare(said, f, &expired, &err), &err);
    assert_int_equal(expired, want_expired);
}

static void
bad(const struct rdb_info *said, const struct figures *f, const char *words)
{
    struct err err = ERR_INIT;
    uint64_t expired = 0;

    assert_int_equal(compare(said, f, &expired, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    if (strstr(err.msg, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.msg, words);
}

#define DB0     "db0:keys=100,expires=10,avg_ttl=5,subexpiry=0\r\n"
#define DB3     "db3:keys=5,expires=5,avg_ttl=5\r\n"
#define DB15    "db15:keys=1,expires=0,avg_ttl=0\r\n"
#define ALL_DBS DB0 DB3 DB15

static void
load_compare__all_there__good(void **state)
{
    const struct rdb_info said = manifest(), empty = {.parsed = true};

    (void)state;
    good(&said, &(struct figures){.loaded = 106, .keyspace = ALL_DBS}, 0);
    good(&said, &(struct figures){.loaded = -1, .keyspace = ALL_DBS}, 0);
    good(&said, &(struct figures){.loaded = 106, .keyspace = ALL_DBS "db15_distrib_strings_sizes:1=2\r\n"}, 0);
    good(&empty, &(struct figures){.loaded = 0, .keyspace = ""}, 0);
}

static void
load_compare__some_ran_out__counted(void **state)
{
    const struct rdb_info said = manifest();

    (void)state;
    /* Two of database 0 while loading and one after it; all of database 3, which is gone then. */
    good(&said,
         &(struct figures){
             .loaded = 99, .dropped = 7, .expired = 1, .keyspace = "db0:keys=97,expires=7,avg_ttl=1\r\n" DB15},
         8);
    good(&said, &(struct figures){.loaded = -1, .keyspace = "db0:keys=97,expires=7,avg_ttl=1\r\n" DB15}, 8);
}

static void
load_compare__a_lasting_key_is_missing__corrupt(void **state)
{
    const struct rdb_info said = manifest();

    (void)state;
    bad(&said, &(struct figures){.loaded = 106, .keyspace = "db0:keys=99,expires=10\r\n" DB3 DB15}, "without a time");
    bad(&said, &(struct figures){.loaded = -1, .keyspace = "db0:keys=99,expires=10\r\n" DB3 DB15}, "without a time");
    bad(&said, &(struct figures){.loaded = 106, .keyspace = DB0 DB3}, "without a time");
    bad(&said, &(struct figures){.loaded = -1, .keyspace = ""}, "without a time");
    /* One that expires is gone, and its place is taken. */
    bad(&said, &(struct figures){.loaded = -1, .keyspace = "db0:keys=100,expires=9\r\n" DB3 DB15}, "without a time");
}

static void
load_compare__more_is_missing_than_ran_out__corrupt(void **state)
{
    const struct rdb_info said = manifest();

    (void)state;
    bad(&said, &(struct figures){.loaded = 106, .expired = 1, .keyspace = "db0:keys=98,expires=8\r\n" DB3 DB15},
        "only 1 have expired");
    bad(&said, &(struct figures){.loaded = 105, .expired = 1, .keyspace = "db0:keys=99,expires=9\r\n" DB3 DB15},
        "loaded 105 keys and dropped 0");
    bad(&said, &(struct figures){.loaded = 107, .keyspace = ALL_DBS}, "loaded 107");
    bad(&said, &(struct figures){.loaded = 106, .expired = 2, .keyspace = ALL_DBS}, "only 2 have expired");
}

static void
load_compare__more_than_the_manifest__corrupt(void **state)
{
    const struct rdb_info said = manifest(), empty = {.parsed = true};

    (void)state;
    bad(&said, &(struct figures){.loaded = 106, .keyspace = "db0:keys=101,expires=10\r\n" DB3 DB15}, "holds 101 keys");
    bad(&said, &(struct figures){.loaded = 106, .keyspace = "db0:keys=100,expires=11\r\n" DB3 DB15}, "database 0");
    bad(&said, &(struct figures){.loaded = 106, .keyspace = DB0 "db2:keys=1,expires=0\r\n" DB3 DB15}, "database 2");
    bad(&said, &(struct figures){.loaded = 106, .keyspace = ALL_DBS "db16:keys=7,expires=0\r\n"}, "database 16");
    bad(&empty, &(struct figures){.loaded = 0, .keyspace = DB0}, "database 0");
}

/* Redis 8.0: a hash whose last field ran out is gone, and not one of the expired keys. */
static void
load_compare__hashes_of_expired_fields__as_many_as_fields(void **state)
{
    struct rdb_info said = manifest();

    (void)state;
    good(&said, &(struct figures){.loaded = 106, .subkeys = 3, .keyspace = "db0:keys=97,expires=10\r\n" DB3 DB15}, 3);
    good(&said, &(struct figures){.loaded = 106, .subkeys = 9, .keyspace = ALL_DBS}, 0);
    bad(&said, &(struct figures){.loaded = 106, .subkeys = 2, .keyspace = "db0:keys=97,expires=10\r\n" DB3 DB15},
        "3 keys without");
    said.types[RDB_HASH] = 2;
    bad(&said, &(struct figures){.loaded = 106, .subkeys = 50, .keyspace = "db0:keys=97,expires=10\r\n" DB3 DB15},
        "3 keys without");
}

static void
load_compare__empty_keys_left_out__no_damage(void **state)
{
    const struct rdb_info said = manifest();

    (void)state;
    good(&said, &(struct figures){.loaded = 104, .skipped = 2, .keyspace = "db0:keys=98,expires=10\r\n" DB3 DB15}, 0);
    bad(&said, &(struct figures){.loaded = 104, .skipped = 1, .keyspace = "db0:keys=98,expires=10\r\n" DB3 DB15}, "");
}

static void
load_compare__functions_differ__corrupt(void **state)
{
    struct rdb_info said = manifest();

    (void)state;
    bad(&said, &(struct figures){.loaded = 106, .functions = 1, .keyspace = ALL_DBS}, "function libraries");
    said.functions = 2;
    bad(&said, &(struct figures){.loaded = 106, .functions = 1, .keyspace = ALL_DBS}, "function libraries");
    good(&said, &(struct figures){.loaded = 106, .functions = 2, .keyspace = ALL_DBS}, 0);
}

/* What was taken on its CRC has no counts to compare with. */
static void
load_compare__manifest_without_counts__good(void **state)
{
    const struct rdb_info said = {.parsed = false};

    (void)state;
    good(&said, &(struct figures){.loaded = 106, .functions = 3, .keyspace = ALL_DBS}, 0);
}

static void
load_skipped_keys__both_wordings__the_number(void **state)
{
    (void)state;
    assert_int_equal(load_skipped_keys(""), 0);
    assert_int_equal(load_skipped_keys("* Done loading RDB, keys loaded: 4, keys expired: 1.\n"), 0);
    assert_int_equal(load_skipped_keys("* keys loaded: 4, keys expired: 1, empty keys skipped: 12.\n"), 12);
    assert_int_equal(load_skipped_keys("* keys loaded: 4, keys expired: 1, 'empty keys skipped': 3.\n"), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load_compare__all_there__good),
        cmocka_unit_test(load_compare__some_ran_out__counted),
        cmocka_unit_test(load_compare__a_lasting_key_is_missing__corrupt),
        cmocka_unit_test(load_compare__more_is_missing_than_ran_out__corrupt),
        cmocka_unit_test(load_compare__more_than_the_manifest__corrupt),
        cmocka_unit_test(load_compare__hashes_of_expired_fields__as_many_as_fields),
        cmocka_unit_test(load_compare__empty_keys_left_out__no_damage),
        cmocka_unit_test(load_compare__functions_differ__corrupt),
        cmocka_unit_test(load_compare__manifest_without_counts__good),
        cmocka_unit_test(load_skipped_keys__both_wordings__the_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
