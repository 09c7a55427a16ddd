/* SPDX-License-Identifier: Apache-2.0 */
/* Fifty trials one after the other in one process need no more memory than ten. */
#include "toy.h"

#include "cnnsweep/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WARM_UP = 10, TRIALS = 50, ALLOWED_KIB = 1024 };

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 }; /* freed memory stays in quarantine */
#else
enum { SANITIZED = 0 };
#endif

static long resident_kib(void) {
    long pages = 0, ignored;
    FILE *statm = fopen("/proc/self/statm", "r");
    assert_non_null(statm);
    assert_int_equal(fscanf(statm, "%ld %ld", &ignored, &pages), 2);
    fclose(statm);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int open_files(void) {
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += lseek(fd, 0, SEEK_CUR) >= 0;
    return count;
}

static void check_on(const char *device) {
    static const toy_spec spec = {.counts = {48, 16, 16}, .contrast = 30};
    static toy_record record;
    char path[512];
    snprintf(path, sizeof path, "%s", toy_dataset(device, &spec));
    long resident = 0;
    int files = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        cs_trial_config config = toy_trial(path);
        config.train.epochs = 2;
        config.train.seed = trial;
        assert_ok(toy_train(device, &config, 1, &record));
        if (trial == WARM_UP - 1) {
            resident = resident_kib();
            files = open_files();
        }
    }
    print_message("%s: %ld KiB after %d trials, %ld KiB after %d\n", device, resident, WARM_UP, resident_kib(), TRIALS);
    assert_int_equal(open_files(), files);
    assert_true(resident_kib() - resident <= ALLOWED_KIB);
}

static void fifty_trials_leave_memory_and_files_flat(void **state) {
    (void)state;
    if (SANITIZED)
        skip();
    cs_log_set_level(CS_LOG_WARN);
    check_on(test_device());
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(fifty_trials_leave_memory_and_files_flat)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
