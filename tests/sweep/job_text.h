/* SPDX-License-Identifier: Apache-2.0 */
/* Job files from texts. */
#ifndef CNNSWEEP_TESTS_JOB_TEXT_H
#define CNNSWEEP_TESTS_JOB_TEXT_H

#include "cnnsweep/job.h"

/* The three lines that every job needs. */
#define JOB_BASE "name: t\ndata: {path: d.h5}\nmodel: {arch: basenet}\n"

const char *job_file(const char *text);
/* Reads the text as a job file, with one --set or NULL. */
cs_status job_read_text(const char *text, const char *set, cs_job **out);

#endif
