/* SPDX-License-Identifier: Apache-2.0 */
/* The device that a test program tests. tests/gpu.sh sets these variables, so that the same programs test a GPU:
 *   CNNSWEEP_TEST_DEVICE     the device, as for --device; default: cpu, and also ref in tests that take every engine
 *   CNNSWEEP_TEST_PRECISION  fp32, tf32, bf16 or fp16; only together with CNNSWEEP_TEST_DEVICE
 *   CNNSWEEP_TEST_PLANS      a folder that keeps plans of convolutions, as making one can take a second; default: none
 *   CNNSWEEP_TEST_ONLY       a pattern with * and ? as in file names: runs only the tests whose names match it */
#ifndef CNNSWEEP_TESTS_DEVICE_H
#define CNNSWEEP_TESTS_DEVICE_H

#include "cnnsweep/engine.h"

const char *test_device(void);

/* The devices for tests that take every engine, and then NULL: ref and, if cpu is another engine, cpu; or only
 * $CNNSWEEP_TEST_DEVICE. */
const char *const *test_devices(void);

/* The options to open any device with; the precision applies only to the device under test. */
cs_engine_options test_engine_options(const char *device, int threads);
/* The options for the trainer's tests, which compare bit by bit: deterministic. */
cs_engine_options test_trainer_options(int threads);
cs_precision test_precision(void);

/* Is the engine under test another one than ref? */
bool test_device_is_not_ref(void);

#endif
