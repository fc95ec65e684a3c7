/* stress/fuzz_operations: the target's one function, by the name that libFuzzer calls. */
#ifndef TESTS_STRESS_FUZZ_OPERATIONS_H
#define TESTS_STRESS_FUZZ_OPERATIONS_H

#include <stddef.h>
#include <stdint.h>

/* Runs the operations that the bytes stand for. Ends the process when something is wrong. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

#endif
