/* SPDX-License-Identifier: Apache-2.0 */
#include "job_text.h"
#include "test.h"

#include "cnnsweep/file.h"

#include <stdio.h>
#include <string.h>

const char *job_file(const char *text) {
    static char path[CS_PATH_MAX];
    assert_ok(cs_path(path, sizeof path, "%s/job.yaml", test_scratch()));
    assert_ok(cs_file_write(path, text, strlen(text)));
    return path;
}

cs_status job_read_text(const char *text, const char *set, cs_job **out) {
    return cs_job_read(job_file(text), &set, set ? 1 : 0, out);
}
