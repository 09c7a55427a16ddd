/* SPDX-License-Identifier: Apache-2.0 */
/* Every test program includes this: cmocka with the headers that it needs, and helpers. */
#ifndef CNNSWEEP_TESTS_TEST_H
#define CNNSWEEP_TESTS_TEST_H

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include "cnnsweep/status.h"

/* The call succeeds; otherwise the test fails with the error's text and hint. */
#define assert_ok(expr) test_assert_ok((expr), #expr, __FILE__, __LINE__)
void test_assert_ok(cs_status status, const char *expr, const char *file, int line);

/* The call fails with `code` and its message or hint contains `needle`. */
#define assert_fails(expr, code, needle) test_assert_fails((expr), (code), (needle), #expr, __FILE__, __LINE__)
void test_assert_fails(cs_status status, cs_status code, const char *needle, const char *expr, const char *file,
                       int line);

/* A fresh folder for this test program, removed at exit. */
const char *test_scratch(void);

/* The source folder: $CNNSWEEP_SOURCE, or else the one that the program was built from, which another machine lacks. */
const char *test_source(void);

/* Path of a file under $CNNSWEEP_SHARED (as seen from the source; default: ../shared). Without that folder the test is
 * skipped; it fails where the folder lacks the file, and where CI is set and no other folder was named. To be called
 * before anything is allocated, as a skipped test returns at once. The path is valid until the next call. */
const char *test_shared(const char *relative);

#endif
