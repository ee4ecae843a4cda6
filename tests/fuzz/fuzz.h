/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h: the one function that every fuzz_*.c defines, for libFuzzer and for replay.c. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Try one input. Stops the program (REQUIRE, or a sanitizer) when something does not hold. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
