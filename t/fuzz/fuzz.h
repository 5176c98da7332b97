/*
 * fuzz.h -- the entry that libFuzzer calls, and that replay.c calls with a corpus.
 */
#ifndef PH_FUZZ_H
#define PH_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
