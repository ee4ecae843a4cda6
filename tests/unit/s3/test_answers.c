/* SPDX-License-Identifier: Apache-2.0 */
/* xml.c and answers.c: each text is read whole and byte by byte, which must make no difference. */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "storage/s3/answers.h"
#include "storage/s3/uri.h"
#include "storage/s3/xml.h"

static int
note(const char *path, const char *text, void *cookie, struct err *err)
{
    return buf_printf(cookie, err, "%s=%s|", path, text);
}

/* Read TEXT in slices; what was told goes to OUT. */
static int
read_xml(const char *text, size_t slice, struct buf *out, struct err *err)
{
    struct xml *x = xml_new(note, out);
    size_t len = strlen(text);
    int rc = 0;

    buf_reset(out);
    for (size_t at = 0; rc == 0 && at < len; at += slice)
        rc = xml_feed(x, text + at, len - at < slice ? len - at : slice, err);
    if (rc == 0)
        rc = xml_finish(x, err);
    xml_free(x);
    return rc;
}

static void
xml__proper_texts__are_told_by_path(void **state)
{
    static const char *const texts[][2] = {
        {"<a/>", "a=|"},
        {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a x='>' y=\"/\"><b>t</b><b/></a>\n", "a/b=t|a/b=|a=|"},
        {"<s:a xmlns:s='u'><s:b>1</s:b></s:a >", "a/b=1|a=|"},
        {"<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x20ac;&#x1F600;</a>", "a=<&>\"'A\xe2\x82\xac\xf0\x9f\x98\x80|"},
        {"<!-- c -- - ---><a><!--->--><![CDATA[<x>]]&amp;]]]></a>", "a=<x>]]&amp;]|"},
        {"<a> keep <b>in</b> this </a>", "a/b=in|a= this |"},
        {"<a><b><c>d</c></b></a>", "a/b/c=d|a/b=|a=|"},
    };
    struct err err = ERR_INIT;
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        for (size_t slice = 1; slice <= 64; slice += 9) {
            assert_ok(read_xml(texts[i][0], slice, &out, &err), &err);
            assert_string_equal(out.data, texts[i][1]);
        }
    }
    buf_fini(&out);
}

static void
xml__improper_texts__are_corrupt(void **state)
{
    static const char *const texts[] = {
        "",
        "text",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "</a>",
        "<a>&nope;</a>",
        "<a>&#0;</a>",
        "<a>&#xd800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#;</a>",
        "<a>&#99999999999;</a>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a/>",
        "<a",
        "<a><![CDATA[x]]</a>",
        "< a/>",
        "<a><b <c/></a>",
        "<a>&amp</a>",
        "<a/x>",
        "<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>",
        "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/>"};
    struct err err = ERR_INIT;
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_fails(read_xml(texts[i], 1, &out, &err), &err, ERR_CORRUPT);
        assert_fails(read_xml(texts[i], 4096, &out, &err), &err, ERR_CORRUPT);
    }
    buf_fini(&out);
}

static void
xml__text_over_the_limit__is_corrupt(void **state)
{
    char *text = calloc(1, XML_TEXT_MAX + 64);
    struct err err = ERR_INIT;
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    (void)sprintf(text, "<a>%0*d</a>", XML_TEXT_MAX, 7);
    assert_ok(read_xml(text, 4096, &out, &err), &err);
    (void)sprintf(text, "<a>%0*d</a>", XML_TEXT_MAX + 1, 7);
    assert_fails(read_xml(text, 4096, &out, &err), &err, ERR_CORRUPT);
    buf_fini(&out);
    free(text);
}

/* ---- listings ---- */

static int
read_page(const char *text, struct s3_page *page, struct s3_error *error, struct err *err)
{
    struct s3_reader *r = s3_reader_new_list(page);
    int rc = s3_reader_feed(r, text, strlen(text), err);

    if (rc == 0)
        rc = s3_reader_finish(r, err);
    *error = *s3_reader_error(r);
    s3_reader_free(r);
    return rc;
}

static void
page__objects_and_folders__come_in_one_order_and_decoded(void **state)
{
    static const char text[] =
        "<ListBucketResult xmlns='u'><Prefix></Prefix><EncodingType>url</EncodingType>"
        "<IsTruncated>true</IsTruncated><NextContinuationToken>to&amp;ken</NextContinuationToken>"
        "<Contents><Key>a+b%2B</Key><LastModified>2026-11-22T10:30:00.250Z</LastModified><Size>7</Size></Contents>"
        "<Contents><Key>c%2Fd</Key><LastModified>2026-11-22T10:30:00Z</LastModified><Size>8</Size></Contents>"
        "<CommonPrefixes><Prefix>b%2F</Prefix></CommonPrefixes></ListBucketResult>";
    struct err err = ERR_INIT;
    struct s3_error error;
    struct s3_page page;

    (void)state;
    assert_ok(read_page(text, &page, &error, &err), &err);
    assert_int_equal(page.count, 3);
    assert_string_equal(page.entries[0].key, "a b+");
    assert_int_equal(page.entries[0].size, 7);
    assert_int_equal(page.entries[0].mtime_ms, INT64_C(1795343400250));
    assert_string_equal(page.entries[1].key, "b/");
    assert_true(page.entries[1].is_folder);
    assert_string_equal(page.entries[2].key, "c/d");
    assert_true(page.truncated);
    assert_string_equal(page.next, "to&ken");
    s3_page_fini(&page);
}

static void
page__nonsense__is_corrupt(void **state)
{
    static const char *const texts[] = {
        "<html><body>hello</body></html>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><LastModified>never</LastModified></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%zz</Key></Contents></ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>%00</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents>",
    };
    struct err err = ERR_INIT;
    struct s3_error error;
    struct s3_page page;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_fails(read_page(texts[i], &page, &error, &err), &err, ERR_CORRUPT);
        s3_page_fini(&page);
    }
}

static void
error__of_any_form__is_found(void **state)
{
    static const char rgw[] = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message></Message></Error>";
    static const char deleted[] = "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>AccessDenied"
                                  "</Code><Message>no\n</Message></Error></DeleteResult>";
    struct err err = ERR_INIT;
    struct s3_error error;
    struct s3_page page;

    (void)state;
    s3_error_parse(&error, rgw, strlen(rgw));
    assert_string_equal(error.code, "SlowDown");
    s3_error_parse(&error, deleted, strlen(deleted));
    assert_string_equal(error.code, "AccessDenied");
    assert_string_equal(error.key, "b");
    assert_string_equal(error.message, "no?");
    s3_error_parse(&error, "<html>not found</html>", 22);
    assert_string_equal(error.code, "");
    s3_error_parse(&error, "<Error></Error>", 15);
    assert_string_equal(error.code, "Unknown");
    assert_ok(read_page("<Error><Code>InternalError</Code></Error>", &page, &error, &err), &err);
    assert_string_equal(error.code, "InternalError");
    s3_page_fini(&page);
}

/* ---- uri ---- */

static void
uri__encode_and_query__are_what_is_signed(void **state)
{
    static const struct uri_pair pairs[] = {{"prefix", "a b+/\xc3\xbc"}, {"delimiter", "/"}, {"delete", ""}};
    struct err err = ERR_INIT;
    struct buf b;
    char text[] = "a+b%2Bc%c3";

    (void)state;
    buf_init(&b, 1000);
    assert_ok(uri_encode(&b, "/a b+~%/\xff", true, &err), &err);
    assert_string_equal(b.data, "/a%20b%2B~%25/%FF");
    buf_reset(&b);
    assert_ok(uri_query(&b, pairs, 3, &err), &err);
    assert_string_equal(b.data, "delete=&delimiter=%2F&prefix=a%20b%2B%2F%C3%BC");
    buf_fini(&b);
    assert_int_equal(uri_decode(text), 0);
    assert_string_equal(text, "a b+c\xc3");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xml__proper_texts__are_told_by_path),
        cmocka_unit_test(xml__improper_texts__are_corrupt),
        cmocka_unit_test(xml__text_over_the_limit__is_corrupt),
        cmocka_unit_test(page__objects_and_folders__come_in_one_order_and_decoded),
        cmocka_unit_test(page__nonsense__is_corrupt),
        cmocka_unit_test(error__of_any_form__is_found),
        cmocka_unit_test(uri__encode_and_query__are_what_is_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
