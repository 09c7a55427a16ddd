/* SPDX-License-Identifier: Apache-2.0 */
/* A process has one last error and one log, even when a shared object brings its own copy of the base room. */
#include "links/copy.h"
#include "test.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static copy_calls *copy;

static int open_copy(void **state) {
    (void)state;
    void *library = dlopen(CS_TEST_COPY, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "cs_test_copy") : NULL;
    memcpy(&copy, &symbol, sizeof copy);
    return symbol ? 0 : -1;
}

static void an_error_in_a_copy_is_the_last_error_of_the_program(void **state) {
    (void)state;
    cs_log_level level;
    cs_log_set_level(CS_LOG_ERROR);
    assert_int_equal(copy(cs_base_links_own(), &level), CS_ERR_DIVERGED);
    assert_int_equal(cs_error_last()->code, CS_ERR_DIVERGED);
    assert_string_equal(cs_error_last()->text, "3 failures in the copy");
    assert_string_equal(cs_error_last()->hint, "a hint of the copy");
}

static void a_copy_has_the_log_level_of_the_program(void **state) {
    (void)state;
    for (cs_log_level wanted = CS_LOG_ERROR; wanted <= CS_LOG_DEBUG; wanted++) {
        cs_log_level level;
        cs_log_set_level(wanted);
        (void)!copy(cs_base_links_own(), &level);
        assert_int_equal(level, wanted);
    }
}

/* The prefix shows that the program's log wrote the line. */
static void the_program_writes_the_log_lines_of_a_copy(void **state) {
    (void)state;
    char path[512], line[128] = "";
    cs_log_level level;
    snprintf(path, sizeof path, "%s/stderr", test_scratch());
    int saved = dup(STDERR_FILENO);
    assert_non_null(freopen(path, "w", stderr));
    cs_log_set_prefix("[program] ");
    cs_log_set_level(CS_LOG_WARN);
    cs_status status = copy(cs_base_links_own(), &level);
    cs_log_set_prefix("");
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_int_equal(status, CS_ERR_DIVERGED);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    assert_string_equal(line, "[program] warn: a line of the copy\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_in_a_copy_is_the_last_error_of_the_program),
        cmocka_unit_test(a_copy_has_the_log_level_of_the_program),
        cmocka_unit_test(the_program_writes_the_log_lines_of_a_copy),
    };
    return cmocka_run_group_tests_name("base links", tests, open_copy, NULL);
}
