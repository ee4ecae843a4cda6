/* SPDX-License-Identifier: Apache-2.0 */
/* test_redact.c: every place where a secret stands, what comes out in its stead, and what is let be to the byte. What
 * servers make of the result is a test of its own (tests/integration/test_config_secrets.py). */
#include "snapshot/redis/redact.h"

#include <string.h>

#include "base/mem.h"
#include "snapshot/redis/conf_words.h"
#include "tests/support/test_common.h"

#define SECRET "s3cr3t"

/* The text without its secrets, NUL-terminated; the caller frees. */
static char *
redacted(const char *text, size_t *secrets)
{
    struct err err = ERR_INIT;
    struct buf out;
    size_t len = strlen(text);
    char *exact = mem_new(len); /* so that a checker sees a byte read behind it */

    memcpy(exact, text, len);
    buf_init(&out, 1 << 20);
    assert_ok(redact_text(exact, len, &out, secrets, &err), &err);
    free(exact);
    return buf_steal(&out);
}

static void
assert_redacts(const char *text, const char *expected)
{
    size_t secrets = 0;
    char *out = redacted(text, &secrets);

    if (strstr(out, expected) == NULL || strstr(out, SECRET) != NULL || secrets == 0)
        fail_msg("%s became %s, which should have: %s", text, out, expected);
    free(out);
}

static void
assert_keeps(const char *text)
{
    size_t secrets = 0;
    char *out = redacted(text, &secrets);

    assert_string_equal(text, out);
    assert_int_equal(secrets, 0);
    free(out);
}

/* ---- directives ---- */

static void
redact__directives_with_secrets__an_open_quote(void **state)
{
    static const char *const names[] = {
        "requirepass",
        "masterauth",
        "primaryauth",
        "tls-key-file-pass",
        "tls-client-key-file-pass",
        "search.password",
        "some-password",
        "x-secret",
        "api-token",
        "encryption-key",
        "REQUIREPASS",
        "MasterAuth",
        "sentinel auth-pass m",
        "sentinel sentinel-pass",
        "SENTINEL Auth-Pass m",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *const forms[] = {"%s " SECRET "\n",         "  %s\t" SECRET "  \n",       "%s \"" SECRET "\"\r\n",
                                     "%s '" SECRET "'\n",       "%s \"a b\\\"" SECRET "\"\n", "%s " SECRET " more\n",
                                     "port 1\n%s " SECRET "\n", "%s \"\\x00" SECRET "\"\n",   "%s \"\" " SECRET "\n"};

        for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
            const char *at = strstr(forms[f], "%s");
            char *text = mem_printf("%.*s%s%s", (int)(at - forms[f]), forms[f], names[i], at + 2);
            char *wanted = mem_printf("%s \"REDACTED-BY-REMORA", names[i]);

            assert_redacts(text, wanted);
            assert_redacts(text, "# remora left a secret out of the next line");
            free(wanted);
            free(text);
        }
    }
    assert_redacts("\xef\xbb\xbfrequirepass " SECRET, "\xef\xbb\xbf# remora left");
    assert_redacts("\"requirepass\" " SECRET, "requirepass \"REDACTED-BY-REMORA");
    assert_redacts("requirepass " SECRET, "requirepass \"REDACTED-BY-REMORA"); /* no newline at the end */
}

static void
redact__what_comes_out__no_server_could_split(void **state)
{
    static const char *const lines[] = {"requirepass " SECRET,     "loadmodule /m.so " SECRET,
                                        "some-password a " SECRET, "sentinel auth-pass m " SECRET,
                                        "user a >it's" SECRET,     "x 'y " SECRET};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct conf_words words;
        size_t secrets = 0;
        char *out = redacted(lines[i], &secrets);
        const char *last = strrchr(out, '\n') != NULL ? strrchr(out, '\n') + 1 : out;

        assert_null(strstr(out, SECRET));
        assert_int_equal(conf_words_split(last, strlen(last), &words), -1);
        free(out);
    }
}

static void
redact__modules__arguments_go_paths_stay(void **state)
{
    (void)state;
    assert_redacts("loadmodule /opt/search.so PASSWORD " SECRET "\n",
                   "loadmodule /opt/search.so \"REDACTED-BY-REMORA\n");
    assert_redacts("LoadModule \"/a b.so\" " SECRET, "LoadModule \"/a b.so\" \"REDACTED-BY-REMORA");
    assert_keeps("loadmodule /opt/search.so\n");
}

static void
redact__no_secrets__the_same_to_the_byte(void **state)
{
    (void)state;
    assert_keeps("");
    assert_keeps("\n\n \t\r\n");
    assert_keeps("# Redis configuration\n\n  port   6379\r\nsave 3600 1\nsave \"\"\nbind * -::*");
    assert_keeps("requirepass \"\"\nmasterauth ''\nrequirepass\n");
    assert_keeps("masteruser replica\nprimaryuser replica\nsentinel auth-user m replica\nsentinel sentinel-user s\n");
    assert_keeps("rename-command CONFIG \"\"\nrename-command FLUSHALL b840fc02d524045429941cc15f59e41cb7be6c52\n");
    assert_keeps("include /etc/redis/secret.conf\naclfile /etc/users.acl\ntls-key-file /etc/tls.key\n");
    assert_keeps("tls-auth-clients no\ntls-cert-file /tls.crt\nrdb-key-save-delay 0\nnotify-keyspace-events Ex\n");
    assert_keeps("sentinel monitor m 10.0.0.1 6379 2\nsentinel myid abc\n");
    assert_keeps("user default on nopass ~* &* +@all\nuser x off resetpass -@all\nuser y\nuser\n");
    assert_keeps("--port 6379 --save ''\n--appendonly\nyes\n");
    assert_keeps("07c37dfeb235213a872192d90877d0cd55635b91 127.0.0.1:30004@31004,host slave "
                 "e7d1eecce10fd6bb5eb35b9f99a514335d9ba9ca 0 1426238317239 4 connected\nvars currentEpoch 6 "
                 "lastVoteEpoch 0\n");
    assert_keeps("# Don't forget: it's 6\" long\n# the password is in the vault\n");
}

/* ---- comments and arguments ---- */

static void
redact__comments__directives_put_aside(void **state)
{
    (void)state;
    assert_redacts("# requirepass " SECRET "\n", "# requirepass \"REDACTED-BY-REMORA\n");
    assert_redacts("#requirepass " SECRET, "#requirepass \"REDACTED");
    assert_redacts("## # masterauth  " SECRET " since May\n", "## # masterauth \"REDACTED");
    assert_redacts("# user worker on >" SECRET " ~*\n", "# user worker on REDACTED-BY-REMORA");
    assert_redacts("# user worker on >don't" SECRET "\n", "# user \"REDACTED");
    assert_redacts("# requirepass don't" SECRET "\n", "# requirepass \"REDACTED");
    assert_redacts("# loadmodule /x.so " SECRET, "# loadmodule /x.so \"REDACTED");
    assert_redacts("# sentinel auth-pass m " SECRET, "# sentinel auth-pass m \"REDACTED");
}

static void
redact__command_line_arguments__values_go(void **state)
{
    (void)state;
    assert_redacts("--requirepass " SECRET " --port 6379\n", "--requirepass REDACTED-BY-REMORA --port 6379\n");
    assert_redacts("--port 1 --masterauth \"" SECRET "\"\n", "--port 1 --masterauth REDACTED-BY-REMORA\n");
    assert_redacts("--requirepass\n" SECRET "\n--port\n6379\n", "--requirepass\nREDACTED-BY-REMORA\n--port\n6379\n");
    assert_redacts("--requirepass\n\n'" SECRET "\nport 1\n", "--requirepass\n\nREDACTED-BY-REMORA\nport 1\n");
    assert_redacts("--requirepass 'a " SECRET "\n", "\"REDACTED-BY-REMORA");
}

/* ---- users ---- */

static void
redact__rules_of_users__passwords_and_hashes(void **state)
{
#define HASH SECRET "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (void)state;
    assert_redacts("user default on >" SECRET " ~* +@all\n", "user default on REDACTED-BY-REMORA");
    assert_redacts("user default on >" SECRET " ~* +@all\n", " ~* +@all\n");
    assert_redacts("user a on #" HASH " #" HASH " ~a:* (~b:* +get)", " ~a:* (~b:* +get)");
    assert_redacts("user a on <" SECRET " !" HASH, "user a on REDACTED");
    assert_redacts("USER a on \">" SECRET " with blanks\" ~it", "USER a on REDACTED-BY-REMORA");
    assert_redacts("user a on '>" SECRET "'", "user a on REDACTED");
    assert_redacts("user a on \"\\x3e" SECRET "\"", "user a on REDACTED");
    assert_redacts("user a \"on >" SECRET "\"", "user a REDACTED");
    assert_redacts("user a on\t>" SECRET "\t+get\r\n", "+get\r\n");
    assert_redacts("user a on (+get >" SECRET ")", "user a on (+get REDACTED");
    assert_redacts("user a on >" SECRET "'\" ~*", "user \"REDACTED-BY-REMORA REDACTED-BY-REMORA:put");
    assert_redacts("user 'a on >" SECRET " +@all ~b'", "user \"REDACTED-BY-REMORA REDACTED-BY-REMORA:put");
    assert_redacts("user \"a\\x00 on >" SECRET " b\"", "user \"REDACTED-BY-REMORA REDACTED-BY-REMORA:put");
    assert_redacts("user a on ~\"x\\\\y\" >" SECRET, "user a on ~x\\y REDACTED");
#undef HASH
}

static void
redact__private_keys__first_and_last_line_stay(void **state)
{
    size_t secrets = 0;
    char *out = redacted("port 1\n-----BEGIN RSA PRIVATE KEY-----\n" SECRET "\nMII" SECRET "=\n-----END RSA PRIVATE "
                         "KEY-----\nport 2\n-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
                         &secrets);

    (void)state;
    assert_string_equal(out, "port 1\n-----BEGIN RSA PRIVATE KEY-----\nREDACTED-BY-REMORA\n-----END RSA PRIVATE "
                             "KEY-----\nport 2\n-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n");
    assert_int_equal(secrets, 1);
    free(out);
    assert_redacts("-----BEGIN PRIVATE KEY-----\n" SECRET, "REDACTED"); /* cut off */
}

static void
redact__private_keys__what_else_is_on_their_lines_goes(void **state)
{
    (void)state;
    assert_redacts("requirepass \"" SECRET " -----BEGIN PRIVATE KEY-----\"\n", "\"REDACTED-BY-REMORA\n");
    assert_redacts("-----BEGIN PRIVATE KEY-----" SECRET "-----END PRIVATE KEY-----\nport 1\n",
                   "\"REDACTED-BY-REMORA\nport 1\n");
    assert_redacts("# -----BEGIN PRIVATE KEY----- " SECRET "\nx\n-----END PRIVATE KEY-----\nport 1\n",
                   "# \"REDACTED-BY-REMORA\n-----END PRIVATE KEY-----\nport 1\n");
    assert_redacts("# -----BEGIN PRIVATE KEY----- \nx\n" SECRET "-----END PRIVATE KEY-----\nport 1\n",
                   "# -----BEGIN PRIVATE KEY----- \nREDACTED-BY-REMORA\n\"REDACTED-BY-REMORA\nport 1\n");
}

static void
redact__options_anywhere_and_separators__values_go(void **state)
{
    (void)state;
    assert_redacts("# exec redis-server --requirepass " SECRET "\n", "--requirepass REDACTED-BY-REMORA\n");
    assert_redacts("redis-server /etc/r.conf --requirepass " SECRET " --port 1\n", "REDACTED-BY-REMORA --port 1\n");
    assert_redacts("redis-server --requirepass=" SECRET "\n", "--requirepass=REDACTED-BY-REMORA\n");
    assert_redacts("requirepass: " SECRET "\n", "requirepass: \"REDACTED-BY-REMORA\n");
    assert_redacts("requirepass=" SECRET "\n", "requirepass= \"REDACTED-BY-REMORA\n");
    assert_redacts("# REDIS_PASSWORD='" SECRET "'\n", "# REDIS_PASSWORD= \"REDACTED-BY-REMORA\n");
    assert_redacts("REDIS_PASSWORD=" SECRET "\"x\n", "REDIS_PASSWORD \"REDACTED-BY-REMORA");
    assert_keeps("REDIS_PASSWORD=\nREDIS_PORT=6379\n# start it with --requirepass\nport 1\n");
}

static void
redact__ceiling__no_space(void **state)
{
    struct err err = ERR_INIT;
    struct buf out;
    size_t secrets = 0;

    (void)state;
    buf_init(&out, 10);
    assert_fails(redact_text("requirepass x\n", 14, &out, &secrets, &err), &err, ERR_NO_SPACE);
    assert_fails(redact_text("port 6379 and more\n", 19, &out, &secrets, &err), &err, ERR_NO_SPACE);
    buf_fini(&out);
}

/* What was redacted once has no secret any more, and stays what it is but for its marks. */
static void
redact__twice__never_starts_a_server(void **state)
{
    size_t secrets = 0;
    char *once = redacted("requirepass " SECRET "\nuser a on >" SECRET "\nport 1\n", &secrets),
         *twice = redacted(once, &secrets);

    (void)state;
    assert_null(strstr(twice, SECRET));
    assert_non_null(strstr(twice, "requirepass \"REDACTED-BY-REMORA"));
    assert_non_null(strstr(twice, "user a on REDACTED-BY-REMORA"));
    free(once);
    free(twice);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redact__directives_with_secrets__an_open_quote),
        cmocka_unit_test(redact__what_comes_out__no_server_could_split),
        cmocka_unit_test(redact__modules__arguments_go_paths_stay),
        cmocka_unit_test(redact__no_secrets__the_same_to_the_byte),
        cmocka_unit_test(redact__comments__directives_put_aside),
        cmocka_unit_test(redact__command_line_arguments__values_go),
        cmocka_unit_test(redact__rules_of_users__passwords_and_hashes),
        cmocka_unit_test(redact__private_keys__first_and_last_line_stay),
        cmocka_unit_test(redact__private_keys__what_else_is_on_their_lines_goes),
        cmocka_unit_test(redact__options_anywhere_and_separators__values_go),
        cmocka_unit_test(redact__ceiling__no_space),
        cmocka_unit_test(redact__twice__never_starts_a_server),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
