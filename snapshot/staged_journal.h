/* SPDX-License-Identifier: Apache-2.0 */
/*
 * staged_journal.h: which segments of a dump have been written to its staged file: a small file beside it with a line
 * "NUMBER CRC64\n" for each, in the order of their writing (the CRC, of the raw bytes, in 16 hex digits).
 *
 * It is a hint and no proof. Nothing is synced: after a crash a line may speak of bytes that never reached the disk, or
 * be missing. So whoever relies on a line reads the staged bytes back and compares. Lines that are torn, that are no
 * lines of ours, or that name a segment twice do no harm (of two, the later one counts).
 */
#ifndef SNAPSHOT_STAGED_JOURNAL_H
#define SNAPSHOT_STAGED_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

struct staged_journal;

/* The journal in FD, which is open for reading and appending and stays the caller's, of a dump with SEGMENTS segments
 * (of which INDEX_MAX_SEGMENTS are looked at). KEEP: read what an earlier run noted; else it is emptied. A journal that
 * cannot be read is one without lines. Never NULL. */
struct staged_journal *staged_journal_open(int fd, uint64_t segments, bool keep);
void staged_journal_free(struct staged_journal *j); /* NULL is fine */

/* Did an earlier run note segment NUMBER? *CRC is what its bytes must have then. Thread-safe. */
bool staged_journal_find(const struct staged_journal *j, uint64_t number, uint64_t *crc);

/* Note that the bytes of segment NUMBER have been written. What cannot be noted is fetched again another time: no
 * failure. Thread-safe. */
void staged_journal_add(struct staged_journal *j, uint64_t number, uint64_t crc);

#endif
