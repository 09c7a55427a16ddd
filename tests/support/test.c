/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "cnnsweep/file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void test_assert_ok(cs_status status, const char *expr, const char *file, int line) {
    if (status == CS_OK)
        return;
    print_error("%s\n  failed: %s (%s)\n  hint: %s\n  raised at %s\n", expr, cs_error_last()->text,
                cs_status_name(status), cs_error_last()->hint, cs_error_last()->where);
    _assert_true(0, expr, file, line);
}

void test_assert_fails(cs_status status, cs_status code, const char *needle, const char *expr, const char *file,
                       int line) {
    const cs_error *error = cs_error_last();
    if (status == code && (strstr(error->text, needle) || strstr(error->hint, needle)))
        return;
    print_error("%s\n  gave: %s: %s\n  hint: %s\n  wanted: %s with \"%s\"\n", expr, cs_status_name(status),
                status == CS_OK ? "" : error->text, status == CS_OK ? "" : error->hint, cs_status_name(code), needle);
    _assert_true(0, expr, file, line);
}

static char scratch[CS_PATH_MAX];

static void remove_scratch(void) {
    if (cs_remove_all(scratch) != CS_OK)
        fprintf(stderr, "cannot remove %s\n", scratch);
}

const char *test_scratch(void) {
    if (!scratch[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(scratch, sizeof scratch, "%s/cnnsweep-test-XXXXXX", base ? base : "/tmp");
        if (!mkdtemp(scratch))
            abort();
        atexit(remove_scratch);
    }
    return scratch;
}

const char *test_source(void) {
    const char *named = getenv("CNNSWEEP_SOURCE");
    return named ? named : CS_TEST_SOURCE;
}

const char *test_shared(const char *relative) {
    static char root[CS_PATH_MAX / 2], path[CS_PATH_MAX];
    const char *named = getenv("CNNSWEEP_SHARED");
    bool is_named = named && named[0], is_absolute = is_named && named[0] == '/';
    snprintf(root, sizeof root, "%s%s%s", is_absolute ? "" : test_source(), is_absolute ? "" : "/",
             is_named ? named : "../shared");
    snprintf(path, sizeof path, "%s/%s", root, relative);
    if (cs_file_exists(path))
        return path;
    if (is_named ? cs_is_folder(root) : getenv("CI") != NULL)
        fail_msg("%s is missing; CNNSWEEP_SHARED must name the folder with the test material", path);
    print_message("skipped: %s is missing (set CNNSWEEP_SHARED)\n", path);
    skip();
    return path;
}
