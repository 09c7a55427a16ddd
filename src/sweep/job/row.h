/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the values of a trial as a row [n_options], for what chooses them while the sweep is trained.
 * A row has for each option the index of its value or, for one with a range, the number; NaN where the option does not
 * apply. */
#ifndef CNNSWEEP_ROW_H
#define CNNSWEEP_ROW_H

#include "job_reader.h"

/* Reads the row of a trial from job->value_indices. */
CS_MUST_CHECK cs_status cs_row_read(const cs_job_reader *reader, int trial, double *row);
/* Gives the trial the values of the row. A number of a range becomes a value of its option if it is not one yet. */
CS_MUST_CHECK cs_status cs_row_apply(const cs_job_reader *reader, int trial, const double *row);

#endif
