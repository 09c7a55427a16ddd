/* Inside the sweep room: journal.jsonl, a JSON object a line, written before the caller goes on. Trials, and epochs of
 * a second or more, are also on the disk by then. */
#ifndef CNNSWEEP_JOURNAL_H
#define CNNSWEEP_JOURNAL_H

#include "results.h"

/* Appends to a file, creating it; what could not be written whole is taken back. `sync`: fsync too. */
CS_MUST_CHECK cs_status cs_append(const char *path, const char *bytes, size_t size, bool sync);

CS_MUST_CHECK cs_status cs_journal_start(const char *folder, const cs_results_config *config);
CS_MUST_CHECK cs_status cs_journal_epoch(const char *folder, const char *trial, int rank, const cs_epoch_row *row);
CS_MUST_CHECK cs_status cs_journal_trial(const char *folder, const char *name, const cs_job *job, int trial,
                                         const cs_outcome *outcome);
CS_MUST_CHECK cs_status cs_journal_end(const char *folder, const char *how);

#endif
