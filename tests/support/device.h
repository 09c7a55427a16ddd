/* SPDX-License-Identifier: Apache-2.0 */
/* Which engine a test program tests. tests/gpu.sh sets these variables, so that the same
 * programs test a GPU.
 *   CNNSWEEP_TEST_DEVICE     as --device; default: cpu, and ref beside it where a test says so
 *   CNNSWEEP_TEST_PRECISION  fp32, tf32, bf16 or fp16; only where a device is named
 *   CNNSWEEP_TEST_PLANS      a folder for plans of convolutions, which some take a second each to make; default: none
 *   CNNSWEEP_TEST_ONLY       runs only the tests whose names match: * and ? as in file names */
#ifndef CNNSWEEP_TESTS_DEVICE_H
#define CNNSWEEP_TESTS_DEVICE_H

#include "cnnsweep/engine.h"

const char *test_device(void);

/* What tests that take every engine run on, up to a NULL: ref and, where it is another engine, cpu; or the named device
 * alone. */
const char *const *test_devices(void);

/* For opening any device: the precision is for the one under test. */
cs_engine_options test_engine_options(const char *device, int threads);
/* The trainer's tests compare bit by bit. */
cs_engine_options test_trainer_options(int threads);
cs_precision test_precision(void);

/* Is it another engine than ref? */
bool test_device_is_not_ref(void);

#endif
