/* SPDX-License-Identifier: Apache-2.0 */
/* file_place.h: a folder for the suite, and handles of the file store on it. */
#ifndef TESTS_CONFORMANCE_FILE_PLACE_H
#define TESTS_CONFORMANCE_FILE_PLACE_H

#include "storage/store.h"

void *file_place_new(void);
void file_place_free(void *place);
struct store *file_place_writer(void *place);
/* A handle of its own on the same folder, opened for reading only. */
struct store *file_place_reader(void *place);

#endif
