/* SPDX-License-Identifier: Apache-2.0 */
/* test_settings_text.c: answers of servers as configuration files; words in and out of quotes. */
#include "snapshot/redis/settings_text.h"

#include <string.h>

#include "base/mem.h"
#include "snapshot/redis/conf_words.h"
#include "tests/support/test_common.h"

#define HEAD_LINES 3 /* a comment of two lines, and an empty one */

/* A reply of strings, ended by NULL. */
static struct reply *
reply_of(const char *const *texts)
{
    struct reply *r = mem_new(sizeof(*r));

    r->type = REPLY_ARRAY;
    for (const char *const *text = texts; *text != NULL; text++) {
        struct reply *element = mem_new(sizeof(*element));

        *element = (struct reply){.type = REPLY_STRING, .text = mem_strdup(*text), .len = strlen(*text)};
        r->elements = mem_grow(r->elements, r->count + 1, sizeof(struct reply *));
        r->elements[r->count++] = element;
    }
    return r;
}

#define STRINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What becomes of the answers behind the head, NULL-terminated; the caller frees. */
static char *
config_of(const char *const *config, const char *const *acl)
{
    struct reply *c = reply_of(config), *a = acl != NULL ? reply_of(acl) : NULL;
    struct err err = ERR_INIT;
    struct buf out;
    char *text, *body;

    buf_init(&out, 1 << 20);
    assert_ok(settings_text_config(c, a, &out, &err), &err);
    reply_free(c);
    reply_free(a);
    text = body = buf_steal(&out);
    for (int i = 0; i < HEAD_LINES; i++)
        body = strchr(body, '\n') + 1;
    body = mem_strdup(body);
    free(text);
    return body;
}

static void
assert_config(const char *const *config, const char *expected)
{
    char *text = config_of(config, NULL);

    assert_string_equal(text, expected);
    free(text);
}

#define ACL_FILE "aclfile", "/a"
#define ACL_LINE "aclfile /a\n"

static void
settings_text_config__values__as_a_server_reads_them(void **state)
{
    (void)state;
    assert_config(STRINGS("port", "6379", ACL_FILE, "zset", "1"), ACL_LINE "port 6379\nzset 1\n"); /* sorted */
    assert_config(STRINGS(ACL_FILE, "logfile", ""), ACL_LINE "logfile \"\"\n");
    assert_config(STRINGS(ACL_FILE, "proc-title-template", "{title} {listen-addr}"),
                  ACL_LINE "proc-title-template \"{title} {listen-addr}\"\n");
    assert_config(STRINGS(ACL_FILE, "requirepass", "a\"b\\c'\x01\n#"),
                  ACL_LINE "requirepass \"a\\\"b\\\\c'\\x01\\x0a#\"\n");
    assert_config(STRINGS(ACL_FILE, "bind", "127.0.0.1 -::1"), ACL_LINE "bind 127.0.0.1 -::1\n");
    assert_config(STRINGS(ACL_FILE, "bind", ""), ACL_LINE "bind \"\"\n");
    assert_config(STRINGS(ACL_FILE, "save", "3600 1 300 100"), ACL_LINE "save 3600 1\nsave 300 100\n");
    assert_config(STRINGS(ACL_FILE, "save", ""), ACL_LINE "save \"\"\n");
    assert_config(STRINGS(ACL_FILE, "client-output-buffer-limit", "normal 0 0 0 slave 9 8 7"),
                  ACL_LINE "client-output-buffer-limit normal 0 0 0\nclient-output-buffer-limit slave 9 8 7\n");
    assert_config(STRINGS(ACL_FILE, "replicaof", ""), ACL_LINE);
    assert_config(STRINGS(ACL_FILE, "watchdog-period", "0"), ACL_LINE);
    assert_config(STRINGS(ACL_FILE, "replicaof", "10.0.0.1 6379"), ACL_LINE "replicaof 10.0.0.1 6379\n");
}

/* Without an ACL file the users belong to the settings: a server without them would be open. */
static void
settings_text_config__users__behind_the_settings(void **state)
{
    char *text = config_of(STRINGS("aclfile", ""), STRINGS("user default on >a\"b ~* +@all", "user x off"));

    (void)state;
    assert_non_null(strstr(text, "\nuser default on \">a\\\"b\" ~* +@all\nuser x off\n"));
    free(text);
    text = config_of(STRINGS("aclfile", ""), NULL);
    assert_non_null(strstr(text, "\nuser default NOT-KNOWN\n"));
    free(text);
    text = config_of(STRINGS("port", "1"), NULL);
    assert_non_null(strstr(text, "\nuser default NOT-KNOWN\n"));
    free(text);
    text = config_of(STRINGS(ACL_FILE), STRINGS("user default on"));
    assert_string_equal(text, ACL_LINE);
    free(text);
}

static void
settings_text_acl__lines__as_they_are(void **state)
{
    struct err err = ERR_INIT;
    struct reply *r = reply_of(STRINGS("user a on #00 ~\"x", "user b off (+get ~y)"));
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_ok(settings_text_acl(r, &out, &err), &err);
    assert_string_equal(out.data, "user a on #00 ~\"x\nuser b off (+get ~y)\n");
    buf_fini(&out);
    reply_free(r);
}

static void
settings_text__answers_that_no_server_gives__an_error(void **state)
{
    const char *const *const configs[] = {STRINGS("port"), STRINGS("port\nuser", "1"), STRINGS("", "1"),
                                          STRINGS("port 1", "1")};
    const char *const *const acls[] = {STRINGS("user a\nuser b"), STRINGS("port 1"), STRINGS("")};
    struct reply *config = reply_of(STRINGS(ACL_FILE)), integer = {.type = REPLY_INTEGER};
    struct err err = ERR_INIT;
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        struct reply *r = reply_of(configs[i]);

        assert_fails(settings_text_config(r, NULL, &out, &err), &err, ERR_SERVER);
        reply_free(r);
    }
    for (size_t i = 0; i < ARRAY_LEN(acls); i++) {
        struct reply *r = reply_of(acls[i]);

        assert_fails(settings_text_acl(r, &out, &err), &err, ERR_SERVER);
        assert_fails(settings_text_config(config, r, &out, &err), &err, ERR_SERVER);
        reply_free(r);
    }
    assert_fails(settings_text_config(&integer, NULL, &out, &err), &err, ERR_SERVER);
    assert_fails(settings_text_acl(&integer, &out, &err), &err, ERR_SERVER);
    assert_int_equal(out.len, 0);
    out.cap = 10;
    assert_fails(settings_text_config(config, NULL, &out, &err), &err, ERR_NO_SPACE);
    buf_fini(&out);
    reply_free(config);
}

/* Every byte, at every place of a word, is the same again. */
static void
conf_words_append__any_bytes__there_and_back(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    for (int c = 1; c < 256; c++) {
        const char word[] = {(char)c, 'a', (char)c, ' ', (char)c, '\0'};

        for (size_t len = 0; len < sizeof(word); len++) {
            struct conf_words words;
            struct buf out;

            buf_init(&out, 100);
            assert_ok(conf_words_append(&out, word, len, &err), &err);
            assert_ok(buf_append(&out, " x", 2, &err), &err);
            assert_ok(conf_words_split(out.data, out.len, &words), &err);
            assert_int_equal(words.count, 2);
            assert_int_equal(strlen(words.items[0]), len);
            assert_memory_equal(words.items[0], word, len);
            conf_words_fini(&words);
            buf_fini(&out);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_text_config__values__as_a_server_reads_them),
        cmocka_unit_test(settings_text_config__users__behind_the_settings),
        cmocka_unit_test(settings_text_acl__lines__as_they_are),
        cmocka_unit_test(settings_text__answers_that_no_server_gives__an_error),
        cmocka_unit_test(conf_words_append__any_bytes__there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
