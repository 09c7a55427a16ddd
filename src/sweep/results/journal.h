/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: journal.jsonl, the one source of truth of a results folder: a JSON object a line, written
 * before the caller goes on, and with cs_journal_sync on the disk.
 *
 *   start  a program began or went on: job, dataset and its checksum, metric and goal, trials, ranks, engine,
 *          precision, version; format, files: what weights files hold (origin.h); part and parts (0: all of the
 *          sweep), sweep (description.h), planned: how many plan lines follow
 *   plan   after each start a line a trial, those of other parts too: its name, its key (cs_trial_key), its swept
 *          options, its places on the axes; of one that is another part's which that is
 *   epoch  one epoch of a trial
 *   trial  a trial ended: status ok with all metrics, or failed with the reason
 *   end    the program ended, and how
 * Numbers have 17 digits, so that they come back bit by bit; NaN and infinity are null. */
#ifndef CNNSWEEP_JOURNAL_H
#define CNNSWEEP_JOURNAL_H

#include "results.h"

#include <stdint.h>
#include <time.h>

/* The format of the journals that this program goes on with. In earlier ones the keys of trials were hashed from other
 * values (before format 2 from the paths of weights and not from what they held), and augmentations were drawn from
 * other random streams: trials would not be found again, or would go on with other pictures. */
enum { CS_JOURNAL_FORMAT = 3 };

CS_MUST_CHECK cs_status cs_journal_start(const char *folder, const cs_results_config *config);
CS_MUST_CHECK cs_status cs_journal_epoch(const char *folder, const char *trial, int rank, const cs_epoch_row *row);
CS_MUST_CHECK cs_status cs_journal_trial(const char *folder, const char *name, const cs_job *job, int trial,
                                         const cs_outcome *outcome);
CS_MUST_CHECK cs_status cs_journal_end(const char *folder, const char *how);
/* Puts all that was written on the disk; start and end do so themselves. */
CS_MUST_CHECK cs_status cs_journal_sync(const char *folder);

/* What a journal tells of one trial. */
typedef struct cs_record {
    int start; /* the last start that planned it, from 1; 0: no plan line, so the key is unknown */
    uint64_t key;
    int place;            /* among the trials of that start */
    char *plan;           /* that line; NULL: no plan line */
    int part;             /* whose it is */
    char *options;        /* as cs_job_describe_trial prints them; NULL: no plan line */
    cs_outcome outcome;   /* the last one told */
    cs_epoch_row *epochs; /* [n_epochs] ascending; of an epoch told again the first row */
    size_t n_epochs, epochs_capacity;
} cs_record;

struct cs_journal {
    int starts;           /* 0: it was cut short before anything began. Then the rest is empty. */
    int trials, ranks;    /* trials: of this part */
    int threads;          /* of a rank, at the last start */
    int part, parts;      /* 0 parts: the whole sweep */
    int planned, to_plan; /* plan lines of the last start, other parts' too; as many as it said there would be */
    int format;           /* CS_JOURNAL_FORMAT, or another version's */
    struct json_t *sweep; /* description.h; NULL in journals of before there was one */
    struct json_t *files; /* origin.h, of all starts */
    char job[CS_NAME_MAX], dataset[CS_VALUE_MAX * 2], engine[CS_ENGINE_MAX], precision[8], metric[32];
    bool deterministic;
    uint64_t checksum; /* of the dataset, at the first start */
    bool maximize;
    char ended[32];     /* how the last run ended; "": it has not, or was killed */
    char last[64];      /* the last event, for people */
    time_t written;     /* when the file last changed */
    cs_record *records; /* [n] the index is the trial's number, that of its name; gaps are empty */
    size_t n, capacity;
    int *told; /* [n_told] the numbers of the trials whose epochs came in, in that order */
    size_t n_told, told_capacity;
    long long whole; /* bytes up to the end of the last whole line */
};

/* *out is NULL when the folder has no journal. A last line cut short is passed over; so is a damaged line, with a
 * warning that names it. */
CS_MUST_CHECK cs_status cs_journal_read(const char *folder, cs_journal **out);
void cs_journal_free(cs_journal *journal); /* NULL-safe */
/* Takes the last line away if it was cut short: before the first append. */
CS_MUST_CHECK cs_status cs_journal_repair(const char *folder, const cs_journal *journal);

/* Finds the job's trials among the records by their keys: job->numbers, and job->done for those that ended (with
 * `retry_failed`: that ended well). New trials get the numbers that follow. Rows of epochs that a trial does not have,
 * as a damaged line may tell, are dropped. */
CS_MUST_CHECK cs_status cs_journal_match(cs_journal *journal, bool retry_failed, cs_job *job);
/* Both, where the options say so and there is a journal; else *out is NULL. Refuses what cs_origin_check does. */
CS_MUST_CHECK cs_status cs_journal_look_back(const char *folder, const cs_sweep_options *options, cs_job *job,
                                             cs_journal **out);
/* The record of a trial of a matched job; NULL for a new one. */
const cs_record *cs_journal_record(const cs_journal *journal, const cs_job *job, int trial);
/* Tells the epochs of a matched job's trials in the order in which they came in. */
CS_MUST_CHECK cs_status cs_journal_replay(const cs_journal *journal, const cs_job *job,
                                          void (*epoch)(void *context, int trial, const cs_epoch_row *row),
                                          void *context);

#endif
