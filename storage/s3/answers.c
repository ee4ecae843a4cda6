/* SPDX-License-Identifier: Apache-2.0 */
/* answers.c: see answers.h. */
#include "storage/s3/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "storage/s3/uri.h"
#include "storage/s3/xml.h"

struct s3_reader {
    struct xml *xml;
    struct s3_error error;
    struct s3_page *page;  /* NULL: not a listing */
    struct s3_entry entry; /* being read */
    bool encoded;          /* keys are percent-encoded */
    bool seen_list;        /* the root was a listing */
};

/* ---- errors ---- */

static void
copy(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%s", text);
    for (char *c = to; *c != '\0'; c++) /* it goes into a log line */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* NAME is the element below <Error>. The first error counts. */
static void
take_error(struct s3_error *e, const char *name, const char *text)
{
    if (strcmp(name, "Code") == 0 && e->code[0] == '\0')
        copy(e->code, sizeof(e->code), *text != '\0' ? text : "Unknown");
    else if (strcmp(name, "Message") == 0 && e->message[0] == '\0')
        copy(e->message, sizeof(e->message), text);
    else if (strcmp(name, "Region") == 0 && e->region[0] == '\0')
        copy(e->region, sizeof(e->region), text);
    else if (strcmp(name, "Key") == 0 && e->key[0] == '\0')
        copy(e->key, sizeof(e->key), text);
}

/* ---- listings ---- */

static int
take_entry(struct s3_reader *r, bool is_folder, struct err *err)
{
    struct s3_page *page = r->page;

    if (r->entry.key == NULL)
        return err_set(err, ERR_CORRUPT, "the store listed an object without a key");
    if (page->count == S3_PAGE_MAX)
        return err_set(err, ERR_CORRUPT, "the store listed more than %d keys in one page", S3_PAGE_MAX);
    if (page->entries == NULL)
        page->entries = mem_array(S3_PAGE_MAX, sizeof(*page->entries));
    r->entry.is_folder = is_folder;
    page->entries[page->count++] = r->entry;
    memset(&r->entry, 0, sizeof(r->entry));
    return 0;
}

static int
take_key(struct s3_reader *r, const char *text)
{
    free(r->entry.key);
    r->entry.key = mem_strdup(text);
    return 0;
}

/* NAME is the path below <ListBucketResult>. */
static int
take_list(struct s3_reader *r, const char *name, const char *text, struct err *err)
{
    struct err cause = ERR_INIT;

    if (strcmp(name, "Contents/Key") == 0 || strcmp(name, "CommonPrefixes/Prefix") == 0)
        return take_key(r, text);
    if (strcmp(name, "Contents") == 0)
        return take_entry(r, false, err);
    if (strcmp(name, "CommonPrefixes") == 0)
        return take_entry(r, true, err);
    if (strcmp(name, "Contents/Size") == 0 && units_parse_u64(text, &r->entry.size, &cause) < 0)
        return err_set(err, ERR_CORRUPT, "the store listed an impossible size: %s", cause.msg);
    if (strcmp(name, "Contents/LastModified") == 0 && units_parse_time(text, &r->entry.mtime_ms, &cause) < 0)
        return err_set(err, ERR_CORRUPT, "the store listed an impossible time: %s", cause.msg);
    if (strcmp(name, "IsTruncated") == 0)
        r->page->truncated = strcmp(text, "true") == 0;
    else if (strcmp(name, "EncodingType") == 0)
        r->encoded = strcmp(text, "url") == 0;
    else if (strcmp(name, "NextContinuationToken") == 0 && *text != '\0') {
        free(r->page->next);
        r->page->next = mem_strdup(text);
    }
    return 0;
}

static int
compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct s3_entry *)a)->key, ((const struct s3_entry *)b)->key);
}

/* Decode the keys, and bring objects and folders, which come one after the other, into one order. */
static int
settle_page(struct s3_reader *r, struct err *err)
{
    struct s3_page *page = r->page;

    for (size_t i = 0; r->encoded && i < page->count; i++) {
        if (uri_decode(page->entries[i].key) < 0)
            return err_set(err, ERR_CORRUPT, "the store listed a key that is not properly encoded");
    }
    if (page->count > 1)
        qsort(page->entries, page->count, sizeof(*page->entries), compare_entries);
    return 0;
}

/* ---- the reader ---- */

static int
on_element(const char *path, const char *text, void *cookie, struct err *err)
{
    struct s3_reader *r = cookie;

    if (strncmp(path, "Error/", 6) == 0)
        take_error(&r->error, path + 6, text);
    else if (strncmp(path, "DeleteResult/Error/", 19) == 0)
        take_error(&r->error, path + 19, text);
    else if (r->page != NULL && strncmp(path, "ListBucketResult/", 17) == 0)
        return take_list(r, path + 17, text, err);
    else if (strcmp(path, "ListBucketResult") == 0)
        r->seen_list = true;
    else if (strcmp(path, "Error") == 0 && r->error.code[0] == '\0')
        copy(r->error.code, sizeof(r->error.code), "Unknown");
    return 0;
}

struct s3_reader *
s3_reader_new_plain(void)
{
    struct s3_reader *r = mem_new(sizeof(*r));

    r->xml = xml_new(on_element, r);
    return r;
}

struct s3_reader *
s3_reader_new_list(struct s3_page *page)
{
    struct s3_reader *r = s3_reader_new_plain();

    memset(page, 0, sizeof(*page));
    r->page = page;
    return r;
}

void
s3_reader_free(struct s3_reader *r)
{
    if (r == NULL)
        return;
    xml_free(r->xml);
    free(r->entry.key);
    free(r);
}

int
s3_reader_feed(struct s3_reader *r, const void *data, size_t len, struct err *err)
{
    return xml_feed(r->xml, data, len, err);
}

int
s3_reader_finish(struct s3_reader *r, struct err *err)
{
    if (xml_finish(r->xml, err) < 0)
        return -1;
    if (r->page == NULL || r->error.code[0] != '\0')
        return 0;
    if (!r->seen_list)
        return err_set(err, ERR_CORRUPT, "the store's answer is no listing");
    if (r->page->truncated && r->page->next == NULL)
        return err_set(err, ERR_CORRUPT, "the store cut its listing and did not say how to go on");
    return settle_page(r, err);
}

const struct s3_error *
s3_reader_error(const struct s3_reader *r)
{
    return &r->error;
}

void
s3_page_fini(struct s3_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        free(page->entries[i].key);
    free(page->entries);
    free(page->next);
    memset(page, 0, sizeof(*page));
}

void
s3_error_parse(struct s3_error *e, const void *body, size_t len)
{
    struct s3_reader *r = s3_reader_new_plain();
    struct err unused = ERR_INIT;

    memset(e, 0, sizeof(*e));
    /* An answer that was cut at our limit may still say its code. */
    (void)!s3_reader_feed(r, body, len, &unused);
    *e = *s3_reader_error(r);
    s3_reader_free(r);
}
