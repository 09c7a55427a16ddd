/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: what a job can compare its trials by depends on the splits of the dataset. */
#ifndef CNNSWEEP_SETTLE_METRICS_H
#define CNNSWEEP_SETTLE_METRICS_H

#include "cnnsweep/dataset.h"
#include "cnnsweep/job.h"

/* A job that names no metric compares trials by test_accuracy, or without a test split by val_accuracy, which is
 * logged. CS_ERR_ARG if the metric of the sweep or of the table is of a split that will not be evaluated: the table
 * would be empty, after hours of work. Without a val split the metric that is monitored in its place is written too. */
CS_MUST_CHECK cs_status cs_settle_metrics(const cs_dataset *dataset, cs_job *job);

#endif
