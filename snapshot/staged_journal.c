/* SPDX-License-Identifier: Apache-2.0 */
/* staged_journal.c: see staged_journal.h. */
#include "snapshot/staged_journal.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "snapshot/repo/index.h"

/* A line is shorter than 32 bytes; some runs may have noted the same segments. A larger file is none of ours. */
#define JOURNAL_MAX_BYTES ((off_t)INDEX_MAX_SEGMENTS * 32 * 4)
#define CRC_DIGITS        16

struct note {
    uint64_t crc;
    bool there;
};

struct staged_journal {
    int fd;
    uint64_t segments;
    struct note *notes;    /* of earlier runs; never changed once opened */
    pthread_mutex_t mutex; /* guards what follows, and the order of the lines */
    bool torn;             /* the file ends within a line */
    bool broken;           /* it could not be written to: no more lines */
};

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A line of ours, without its end. */
static bool
parse_line(const char *line, const char *end, uint64_t segments, uint64_t *number, uint64_t *crc)
{
    const char *p = line;

    *number = 0;
    *crc = 0;
    for (; p < end && *p >= '0' && *p <= '9' && *number < INDEX_MAX_SEGMENTS; p++)
        *number = *number * 10 + (uint64_t)(*p - '0');
    if (p == line || *number >= segments || end - p != 1 + CRC_DIGITS || *p != ' ')
        return false;
    for (p++; p < end; p++) {
        int digit = hex_digit(*p);

        if (digit < 0)
            return false;
        *crc = *crc << 4 | (uint64_t)digit;
    }
    return true;
}

static void
parse(struct staged_journal *j, const char *text, size_t len)
{
    const char *end;

    for (const char *line = text; (end = memchr(line, '\n', len - (size_t)(line - text))) != NULL; line = end + 1) {
        uint64_t number, crc;

        if (parse_line(line, end, j->segments, &number, &crc))
            j->notes[number] = (struct note){.crc = crc, .there = true};
    }
    j->torn = len > 0 && text[len - 1] != '\n';
}

static void
load(struct staged_journal *j)
{
    struct err unused = ERR_INIT;
    struct stat st;
    char *text;
    size_t len = 0;

    if (fstat(j->fd, &st) < 0 || st.st_size <= 0 || st.st_size > JOURNAL_MAX_BYTES)
        return;
    text = mem_new((size_t)st.st_size);
    if (file_read_at(j->fd, text, (size_t)st.st_size, 0, &len, &unused) == 0)
        parse(j, text, len);
    free(text);
}

struct staged_journal *
staged_journal_open(int fd, uint64_t segments, bool keep)
{
    struct staged_journal *j = mem_new(sizeof(*j));

    j->fd = fd;
    j->segments = segments < INDEX_MAX_SEGMENTS ? segments : INDEX_MAX_SEGMENTS;
    j->notes = mem_array(j->segments, sizeof(*j->notes));
    REQUIRE(pthread_mutex_init(&j->mutex, NULL) == 0);
    if (keep)
        load(j);
    else
        j->broken = ftruncate(fd, 0) < 0; /* old lines would be taken for this run's */
    return j;
}

void
staged_journal_free(struct staged_journal *j)
{
    if (j == NULL)
        return;
    (void)pthread_mutex_destroy(&j->mutex);
    free(j->notes);
    free(j);
}

bool
staged_journal_find(const struct staged_journal *j, uint64_t number, uint64_t *crc)
{
    if (number >= j->segments || !j->notes[number].there)
        return false;
    *crc = j->notes[number].crc;
    return true;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

void
staged_journal_add(struct staged_journal *j, uint64_t number, uint64_t crc)
{
    char line[64];
    int len;

    (void)pthread_mutex_lock(&j->mutex);
    len = snprintf(line, sizeof(line), "%s%" PRIu64 " %016" PRIx64 "\n", j->torn ? "\n" : "", number, crc);
    if (!j->broken)
        j->broken = write(j->fd, line, (size_t)len) != len;
    j->torn = false;
    (void)pthread_mutex_unlock(&j->mutex);
}
