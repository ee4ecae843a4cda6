/* SPDX-License-Identifier: Apache-2.0 */
/* test_page.c: the page of every scene is whole and well-formed markup, says what it has to, holds nothing from outside
 * as markup, and stays small; its policy names what it holds. */
#include "agent/sidecar/page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/sidecar/page_chart.h"
#include "agent/sidecar/page_words.h"
#include "agent/sidecar/web.h"
#include "base/mem.h"
#include "tests/support/page_scene.h"
#include "tests/support/test_common.h"

#define NOW    PAGE_SCENE_NOW_MS
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static char *
write_board(const struct board *b)
{
    struct err err = ERR_INIT;
    struct buf page;

    buf_init(&page, PAGE_MAX);
    assert_ok(page_write(b, NOW, &page, &err), &err);
    return buf_steal(&page);
}

static char *
write_scene(const char *name)
{
    struct board *b = page_scene_new(name);
    char *page;

    assert_non_null(b);
    page = write_board(b);
    page_scene_free(b);
    return page;
}

static void
assert_has(const char *page, const char *what)
{
    if (strstr(page, what) == NULL)
        fail_msg("the page has no: %s", what);
}

static void
assert_has_not(const char *page, const char *what)
{
    if (strstr(page, what) != NULL)
        fail_msg("the page has: %.200s", strstr(page, what));
}

/* ---- well-formed: every element is closed in its place, every attribute quoted -------------------------------------
 */

struct open_tags {
    char names[64][16];
    size_t count;
};

static bool
is_void(const char *name)
{
    return strcmp(name, "meta") == 0;
}

/* The attributes up to the end of the tag. Returns what follows; *EMPTY: it ended in "/>". */
static const char *
skip_attributes(const char *s, bool *empty)
{
    for (;;) {
        s += strspn(s, " \n");
        *empty = *s == '/';
        if (*s == '/' || *s == '>')
            return s + strspn(s, "/") + 1;
        assert_true(isalpha((unsigned char)*s));
        s += strcspn(s, "= \n/>");
        if (*s != '=')
            continue;
        assert_int_equal(s[1], '"');
        s = strchr(s + 2, '"');
        assert_non_null(s);
        assert_true(strchr(" />\n", s[1]) != NULL);
        s++;
    }
}

/* A tag at S, behind its "<". Returns what follows it, or what follows a style or script with its content. */
static const char *
take_tag(const char *s, struct open_tags *open)
{
    char name[16], end[20];
    bool closing = *s == '/', empty;
    size_t len = strcspn(s += closing, " \n/>");

    assert_in_range(len, 1, sizeof(name) - 1);
    (void)snprintf(name, sizeof(name), "%.*s", (int)len, s);
    s = skip_attributes(s + len, &empty);
    if (closing) {
        assert_true(open->count > 0);
        assert_string_equal(open->names[--open->count], name);
    } else if (!empty && !is_void(name)) {
        assert_true(open->count < ARRAY_LEN(open->names));
        memcpy(open->names[open->count++], name, sizeof(name));
        if (strcmp(name, "style") == 0 || strcmp(name, "script") == 0) {
            (void)snprintf(end, sizeof(end), "</%s>", name);
            s = strstr(s, end);
            assert_non_null(s);
        }
    }
    return s;
}

static void
assert_well_formed(const char *page)
{
    static const char start[] = "<!DOCTYPE html>";
    struct open_tags open = {.count = 0};
    const char *s = page + strlen(start);

    assert_memory_equal(page, start, strlen(start));
    for (s += strcspn(s, "<>&"); *s != '\0'; s += strcspn(s, "<>&")) {
        assert_int_not_equal(*s, '>');
        if (*s == '<')
            s = take_tag(s + 1, &open);
        else
            assert_true(strncmp(s, "&lt;", 4) == 0 || strncmp(s, "&gt;", 4) == 0 || strncmp(s, "&amp;", 5) == 0 ||
                        strncmp(s, "&#39;", 5) == 0 || strncmp(s++, "&quot;", 6) == 0);
        s += *s == '&';
    }
    assert_int_equal(open.count, 0);
}

/* Every id once. */
static void
assert_ids_unique(const char *page)
{
    for (const char *s = page; (s = strstr(s, " id=\"")) != NULL; s++) {
        char *id = mem_strndup(s, strcspn(s + 5, "\"") + 6);

        if (strstr(s + 1, id) != NULL)
            fail_msg("twice:%s", id);
        free(id);
    }
}

static void
page_write__every_scene__is_well_formed_and_small(void **state)
{
    const char *name;

    (void)state;
    for (unsigned i = 0; (name = page_scene_name(i)) != NULL; i++) {
        char *page = write_scene(name);

        assert_well_formed(page);
        assert_ids_unique(page);
        assert_in_range(strlen(page), 10000, 100000);
        assert_has_not(page, " style=");
        assert_has_not(page, "http:");
        assert_has_not(page, "https:");
        assert_has_not(page, " onload");
        free(page);
    }
}

static void
page_write__every_state__says_it_in_a_word(void **state)
{
    static const struct {
        const char *scene, *word, *sentence;
    } wanted[] = {
        {"healthy", "Healthy", "the next one is due in"},
        {"late", "Late", "A backup is expected every 2 hours, and none came in time."},
        {"failing", "Failing", "free or enlarge the volume of /data"},
        {"server-down", "Server down", "start the server, or correct --redis-url"},
        {"store-down", "Repository denies access", "renew the secret that --s3-access-key-file reads"},
        {"never", "No backup yet", "There is no good backup yet"},
        {"starting", "Starting", "has not read the repository yet"},
        {"suspicious", "Suspicious", "<code>remora accept 2026"},
        {"running", "Healthy", "one is being taken now"},
        {"stopping", "Healthy", "shutting down"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        char *page = write_scene(wanted[i].scene), *word = mem_printf("</svg>%s</h2>", wanted[i].word);

        assert_has(page, word);
        assert_has(page, wanted[i].sentence);
        free(word);
        free(page);
    }
}

static void
page_write__healthy__has_the_figures(void **state)
{
    char *page = write_scene("healthy");

    (void)state;
    assert_has(page, "<time datetime=\"2026-11-23T10:01:10Z\">41 minutes ago</time>");
    assert_has(page, "<time datetime=\"2026-11-23T12:00:10Z\">in 1 h 18 min</time>");
    assert_has(page, "loaded by valkey 8.1.4, <time");
    assert_has(page, "<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>");
    assert_has(page, "<title>Healthy: shop-cache - remora</title>");
    assert_has(page, "<h1 class=\"short\">shop-cache</h1>");
    assert_has_not(page, "id=\"cause\"");
    assert_has_not(page, "id=\"advice\"");
    assert_has(page, "Nothing is running");
    assert_has(page, "57 backups since 20 Oct 10:01 UTC");
    assert_has(page, "held <b>1</b>");
    assert_has(page, "damaged <b>1</b>");
    assert_has(page, "exit 6, storage unreachable or failing");
    assert_has(page, "107 done, 2 failed");
    assert_has_not(page, "<progress");
    free(page);
}

static void
page_write__running_job__has_progress_and_queue(void **state)
{
    struct board *b = page_scene_new("running");
    char *page = write_board(b);

    (void)state;
    assert_has(page, "<progress aria-labelledby=\"work-l\" max=\"100\" value=\"54.2\">54 %</progress>");
    assert_has(page, "storing, 680 MiB of 1.22 GiB as 222 MiB stored; for 22 seconds");
    assert_has(page, "Queued: verify, then prune.");
    free(page);
    jobs_running(&b->jobs, WORK_BACKUP)->progress = (struct progress){.phase = PROGRESS_WAITING};
    page = write_board(b);
    assert_has(page, "<progress aria-labelledby=\"work-l\"></progress>");
    free(page);
    jobs_running(&b->jobs, WORK_BACKUP)->progress =
        (struct progress){.phase = PROGRESS_SAVING, .done = 30, .total = 20};
    page = write_board(b);
    assert_has(page, "value=\"100.0\"");
    assert_has(page, "30 of 20 keys");
    free(page);
    page_scene_free(b);
}

static void
page_write__hostile_strings__stay_text(void **state)
{
    char *page = write_scene("hostile");

    (void)state;
    assert_well_formed(page); /* one that broke out would leave an attribute or an element open */
    assert_has_not(page, "<img");
    assert_has_not(page, "<b>\"");
    assert_has_not(page, "<script>a");
    assert_has_not(page, "\x01");
    assert_has_not(page, "\xff");
    assert_has(page, "&lt;/style&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img src=x "
                     "onerror=alert(1)&gt;&amp;amp;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    free(page);
}

static void
page_write__thousands_of_backups__are_gathered(void **state)
{
    struct board *b = page_scene_new("crowded");
    char *page = write_board(b);
    size_t bars = 0;

    (void)state;
    assert_int_equal(b->catalog->count, 5000);
    for (const char *s = page; (s = strstr(s, "<g class=\"bar")) != NULL; s++)
        bars++;
    assert_in_range(bars, PAGE_BINS / 3, PAGE_BINS);
    assert_has(page, "5,000 backups since");
    assert_has(page, "<h1 class=\"long\">nnn");
    assert_has(page, "verified <b>555</b>");
    free(page);
    page_scene_free(b);
}

static void
page_write__no_room__is_an_error(void **state)
{
    struct board *b = page_scene_new("healthy");
    struct err err = ERR_INIT;
    struct buf page;

    (void)state;
    buf_init(&page, 20000);
    assert_fails(page_write(b, NOW, &page, &err), &err, ERR_NO_SPACE);
    buf_fini(&page);
    page_scene_free(b);
}

static void
expect_prose(struct page *p, const char *text, const char *want)
{
    buf_reset(p->h.out);
    page_prose(p, text);
    assert_string_equal(p->h.out->data, want);
}

static void
page_prose__backticks__become_code_in_pairs(void **state)
{
    struct buf out;
    struct page p = {.h = {.out = &out}};

    (void)state;
    buf_init(&out, 1000);
    expect_prose(&p, "plain", "plain");
    expect_prose(&p, "do `a` or `b<`", "do <code>a</code> or <code>b&lt;</code>");
    expect_prose(&p, "one ` alone", "one ` alone");
    expect_prose(&p, "`a` and ` alone", "<code>a</code> and ` alone");
    buf_fini(&out);
}

/* ---- policy --------------------------------------------------------------------------------------------------------
 */

static void
assert_policy_has(const char *page, const char *element, const char *directive)
{
    char *opening = mem_printf("<%s>", element), *closing = mem_printf("</%s>", element), *source;
    char base64[DIGEST_BASE64(DIGEST_SHA256_LEN)];
    uint8_t digest[DIGEST_SHA256_LEN];
    const char *from = strstr(page, opening), *to;

    assert_non_null(from);
    from += strlen(opening);
    to = strstr(from, closing);
    assert_non_null(to);
    assert_null(strstr(to, opening)); /* the only one */
    digest_sha256(from, (size_t)(to - from), digest);
    digest_base64(digest, sizeof(digest), base64);
    source = mem_printf("; %s 'sha256-%s';", directive, base64);
    assert_has(page_policy(), source);
    free(source);
    free(opening);
    free(closing);
}

static void
page_policy__digests__are_those_of_the_page(void **state)
{
    char *page = write_scene("healthy");

    (void)state;
    assert_policy_has(page, "style", "style-src");
    assert_policy_has(page, "script", "script-src");
    assert_has(page_policy(), "default-src 'none'; ");
    assert_has(page_policy(), "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    assert_has_not(page_policy(), "unsafe");
    free(page);
}

static void
web_page__request__answers_with_page_and_policy(void **state)
{
    struct board *b = page_scene_new("healthy");
    struct web_request request = {.board = b};
    struct web_answer answer = {.status = 0};

    (void)state;
    buf_init(&answer.body, PAGE_MAX);
    web_page(&request, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.content_type, "text/html; charset=utf-8");
    assert_string_equal(answer.policy, page_policy());
    assert_has(answer.body.data, "</html>");
    buf_fini(&answer.body);
    buf_init(&answer.body, 1000);
    web_page(&request, &answer);
    assert_int_equal(answer.status, 500);
    assert_null(answer.policy);
    assert_has(answer.body.data, "does not fit");
    buf_fini(&answer.body);
    page_scene_free(b);
}

/* ---- its parts -----------------------------------------------------------------------------------------------------
 */

static void
words__times__are_as_fine_as_people_need(void **state)
{
    char text[UNITS_TEXT_MAX];

    (void)state;
    assert_string_equal(words_relative(NOW - 59999, NOW, text), "just now");
    assert_string_equal(words_relative(NOW + 30000, NOW, text), "in a moment");
    assert_string_equal(words_relative(NOW - MINUTE, NOW, text), "1 minute ago");
    assert_string_equal(words_relative(NOW - HOUR, NOW, text), "1 hour ago");
    assert_string_equal(words_relative(NOW - 5 * HOUR - 59 * MINUTE, NOW, text), "5 h 59 min ago");
    assert_string_equal(words_relative(NOW + 47 * HOUR, NOW, text), "in 47 hours");
    assert_string_equal(words_relative(NOW - 48 * HOUR, NOW, text), "2 days ago");
    assert_string_equal(words_moment(NOW, NOW, text), "23 Nov 10:42");
    assert_string_equal(words_moment(NOW - 365 * DAY, NOW, text), "23 Nov 2025 10:42");
}

/* What html_put() makes of TEXT. */
static void
expect_text(const char *text, const char *want)
{
    struct buf out;
    struct html h = {.out = &out};

    buf_init(&out, 1000);
    html_put(&h, "<p title=\"%s\">%d %zu %.1f%%", text, -7, (size_t)8, 9.25);
    assert_false(h.full);
    if (strncmp(out.data, "<p title=\"", 10) != 0 || strncmp(out.data + 10, want, strlen(want)) != 0 ||
        strcmp(out.data + 10 + strlen(want), "\">-7 8 9.2%") != 0)
        fail_msg("%s became %s", text, out.data);
    buf_fini(&out);
}

static void
html_put__text__is_escaped_and_made_utf8(void **state)
{
    (void)state;
    expect_text("", "");
    expect_text("a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;");
    expect_text("%s%n", "%s%n");
    expect_text("tab\tline\n", "tab line ");
    expect_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f");
    expect_text("\xc3", "\xef\xbf\xbd");                                 /* cut off */
    expect_text("\xe2\x82<", "\xef\xbf\xbd\xef\xbf\xbd&lt;");            /* cut off: what follows counts */
    expect_text("\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd");                 /* "<", too long */
    expect_text("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    expect_text("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* over 10FFFF */
    expect_text("\xc2\x85\x7f\x1b", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* controls */
}

static void
chart_make__any_catalogue__fits(void **state)
{
    static const struct {
        size_t count;
        int64_t every_ms;
    } cases[] = {{1, 0},       {2, 0},     {60, 0},          {7, DAY}, {60, 2 * HOUR},
                 {61, MINUTE}, {400, DAY}, {3000, 12 * DAY}, {900, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct board *b = page_scene_new("never");
        struct chart chart;

        for (size_t n = cases[i].count; n > 0; n--)
            (void)page_scene_add(b, (int64_t)n * cases[i].every_ms);
        chart_make(&chart, b->catalog, NOW);
        assert_in_range(chart.count, 1, PAGE_BINS);
        assert_int_equal(chart.sum.count + chart.older, cases[i].count);
        assert_true(chart.older * 10 <= cases[i].count);
        assert_true(chart.from_ms < chart.to_ms && chart.to_ms >= NOW);
        for (size_t n = 1; n < chart.count; n++)
            assert_true(chart.columns[n].at_ms > chart.columns[n - 1].at_ms);
        free(write_board(b));
        page_scene_free(b);
    }
}

static void
chart_make__clock_behind_the_store__shows_the_newest(void **state)
{
    struct board *b = page_scene_new("never");
    struct chart chart;
    char *page;

    (void)state;
    (void)page_scene_add(b, 2 * HOUR);
    (void)page_scene_add(b, -HOUR);
    chart_make(&chart, b->catalog, NOW);
    assert_int_equal(chart.count, 2);
    assert_true(chart.to_ms >= NOW + HOUR);
    page = write_board(b);
    assert_well_formed(page);
    free(page);
    page_scene_free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_write__every_scene__is_well_formed_and_small),
        cmocka_unit_test(page_write__every_state__says_it_in_a_word),
        cmocka_unit_test(page_write__healthy__has_the_figures),
        cmocka_unit_test(page_write__running_job__has_progress_and_queue),
        cmocka_unit_test(page_write__hostile_strings__stay_text),
        cmocka_unit_test(page_write__thousands_of_backups__are_gathered),
        cmocka_unit_test(page_write__no_room__is_an_error),
        cmocka_unit_test(page_prose__backticks__become_code_in_pairs),
        cmocka_unit_test(page_policy__digests__are_those_of_the_page),
        cmocka_unit_test(web_page__request__answers_with_page_and_policy),
        cmocka_unit_test(words__times__are_as_fine_as_people_need),
        cmocka_unit_test(html_put__text__is_escaped_and_made_utf8),
        cmocka_unit_test(chart_make__any_catalogue__fits),
        cmocka_unit_test(chart_make__clock_behind_the_store__shows_the_newest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
