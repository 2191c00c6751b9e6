/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of the scan of JSON: by vectors and a byte at a time it must find the same, to the byte
 * and for every fault. libFuzzer's input lies in a block of just its size, so a read beyond it is
 * noticed. What the scan accepts is compared with json-c by fuzz_envelope.c.
 */
#include "../unit/message/scan_portable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	compare_scans(data, size);
	return 0;
}
