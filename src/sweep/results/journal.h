/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: journal.jsonl, the one source of truth of a results folder. It has one JSON object a line. A
 * line is written before the caller goes on, and is on the disk after cs_journal_sync.
 *
 *   start  a program started or resumed the sweep: job, dataset and its checksum, metric and goal, trials, ranks,
 *          engine, precision, version, the machine of rank 0; format; files: the checksums of the weights files
 *          (origin.h); part and parts (0: the whole sweep); sweep (description.h); planned: how many plan lines follow
 *   plan   one for each trial after each start, also for trials of other parts: its name, its key (cs_trial_key), its
 *          swept options, the indices of their values (description.h); any_length (cs_trial_key_of_any_length) and
 *          epochs; before: the trial that is the phase before; last: false if another phase follows; for a trial of
 *          another part the part. With a method that learns, a trial whose values are not chosen yet gets its line when
 *          they are
 *   group  a rank, or the first of a rank group, begins to train trials together
 *   epoch  one epoch of a trial
 *   trial  a trial ended: status ok with its metrics, or failed with the reason; test_hits (hits.h): which images of
 *          test it predicts rightly
 *   end    the program ended, and how
 *
 * All but plan have their time. Numbers have 17 digits, so that reading gives the same bits; NaN and infinity are
 * null.
 */
#ifndef CNNSWEEP_JOURNAL_H
#define CNNSWEEP_JOURNAL_H

#include "cnnsweep/log.h"
#include "results.h"

#include <stdint.h>
#include <time.h>

/* The format of journals that this program can go on with. Earlier formats hashed the keys of trials from other values
 * (before format 2 from the paths of weights files and not from their contents) and drew augmentations from other
 * random streams. Their trials would not be found again, or would go on with other pictures. */
enum { CS_JOURNAL_FORMAT = 3 };

CS_MUST_CHECK cs_status cs_journal_start(const char *folder, const cs_results_config *config);
/* Writes the plan line of a trial whose values were chosen after the start. */
CS_MUST_CHECK cs_status cs_journal_plan(const char *folder, const cs_job *job, int trial);
/* Writes that a rank begins to train the trials together. */
CS_MUST_CHECK cs_status cs_journal_group(const char *folder, const cs_job *job, int rank, const int *trials, int n);
CS_MUST_CHECK cs_status cs_journal_epoch(const char *folder, const char *trial, int rank, const cs_epoch_row *row,
                                         const cs_metric_set *metrics);
CS_MUST_CHECK cs_status cs_journal_trial(const char *folder, const char *name, const cs_job *job, int trial,
                                         const cs_outcome *outcome, const char *hits);
CS_MUST_CHECK cs_status cs_journal_end(const char *folder, const char *how);
/* Syncs the journal to disk. cs_journal_start and cs_journal_end do so themselves. */
CS_MUST_CHECK cs_status cs_journal_sync(const char *folder);

/* What a journal says of one trial. */
typedef struct cs_record {
    int start; /* the last start that has a plan line of it, from 1; 0: none has, so the key is unknown */
    uint64_t key;
    uint64_t any_length;  /* cs_trial_key_of_any_length; 0: not known */
    int planned_epochs;   /* train.epochs at that start */
    bool extended;        /* a start asked for more epochs than it had ended with */
    bool is_before;       /* another phase follows it */
    int index;            /* its index among the trials of that start */
    char *plan;           /* the plan line; NULL: there is none */
    int part;             /* the part that trains it */
    char *options;        /* as cs_job_describe_trial prints them; NULL: no plan line */
    cs_outcome outcome;   /* the last one in the journal */
    char *hits;           /* of that outcome, as cs_hits_text writes them; NULL: it has none */
    cs_epoch_row *epochs; /* [n_epochs] ascending; of an epoch that was reported twice the first row */
    size_t n_epochs, epochs_capacity;
    int group;           /* the last group in which it began, counted from 1 in the journal; 0: not known */
    int group_rank;      /* the rank that trained that group */
    double begun, ended; /* when that group began and when the trial ended, seconds since 1970; 0: not known */
} cs_record;

struct cs_journal {
    int starts;             /* 0: nothing is in the journal, as the first line was not completed */
    int trials, ranks;      /* `trials` counts those of this part */
    int threads;            /* of each rank, at the last start */
    int part, parts;        /* parts 0: the whole sweep */
    int planned, announced; /* plan lines since the last start, with those of other parts; as many as it announced */
    int format;             /* CS_JOURNAL_FORMAT, or that of another version of the program */
    struct json_t *sweep;   /* see description.h; NULL in journals of versions that did not write it */
    struct json_t *files;   /* see origin.h; of all starts together */
    char job[CS_NAME_MAX], dataset[CS_VALUE_MAX * 2], engine[CS_ENGINE_MAX], precision[8], metric[CS_METRIC_NAME_MAX];
    bool deterministic;
    uint64_t checksum; /* of the dataset, at the first start */
    bool maximize;
    char ended[32];     /* how the last run ended; "": it has not ended, or was killed */
    char version[32];   /* of the program, at the last start */
    char machine[256];  /* of rank 0, at the last start */
    double first_start; /* when the first start was, in seconds since 1970; 0: not known */
    double last_time;   /* of the last event, likewise */
    int groups;         /* how many there were */
    char last[64];      /* the last event, in words */
    double started;     /* when the last start was, likewise */
    time_t written;     /* when the file last changed */
    cs_record *records; /* [n] by the number in the trial's name; a number without a trial has an empty record */
    size_t n, capacity;
    int *arrivals; /* [n_arrivals] for each epoch row, in the order of arrival, the number of its trial */
    size_t n_arrivals, arrivals_capacity;
    long long complete;      /* bytes up to the end of the last complete line */
    int lines;               /* so many of them */
    unsigned long long file; /* the number of the file in its file system, its inode */
};

/* Reads the journal of a folder; *out is NULL if there is none. A last line that is incomplete is ignored. A damaged
 * line is passed over, and named in the log at the level `damage`. */
CS_MUST_CHECK cs_status cs_journal_read(const char *folder, cs_log_level damage, cs_journal **out);
/* The same for a journal that was read before (NULL: it was not): reads only what was added since, or all if it is
 * another file now. On failure *journal is NULL. */
CS_MUST_CHECK cs_status cs_journal_read_on(const char *folder, cs_log_level damage, cs_journal **journal);
void cs_journal_free(cs_journal *journal); /* NULL-safe */
/* The record of a trial by its name, such as "t007"; NULL: there is none. */
const cs_record *cs_journal_find(const cs_journal *journal, const char *trial);
/* Removes the last line if it is incomplete; to be called before the first append. */
CS_MUST_CHECK cs_status cs_journal_repair(const char *folder, const cs_journal *journal);

/* Finds the records of the job's trials by their keys. Sets job->numbers, and job->done for trials that ended (with
 * retry_failed only for those that finished). New trials get the next free numbers. With `extend`, a trial that ended
 * after fewer epochs than it has now is found too: job->extended is set if its final state is in `folder`, and else it
 * keeps its outcome and the epochs that it had. Drops rows of epochs that a trial does not have, which a damaged line
 * may report. */
CS_MUST_CHECK cs_status cs_journal_match(cs_journal *journal, const char *folder, const cs_sweep_options *options,
                                         cs_job *job);
/* For a method that learns: gives the job's first trials the values that an earlier run chose, and forgets those that
 * the job no longer has. */
CS_MUST_CHECK cs_status cs_journal_restore_values(const cs_journal *journal, cs_job *job);
/* Reads and matches the journal if the options have `resume` and the folder has a journal; else *out is NULL. Fails
 * where cs_origin_check does. */
CS_MUST_CHECK cs_status cs_journal_resume(const char *folder, const cs_sweep_options *options, cs_job *job,
                                          cs_journal **out);
/* The record of a trial of a matched job; NULL: the trial is new. */
const cs_record *cs_journal_record(const cs_journal *journal, const cs_job *job, int trial);
/* Calls `epoch` for each epoch row of a matched job's trials, in the order of their arrival. */
CS_MUST_CHECK cs_status cs_journal_replay(const cs_journal *journal, const cs_job *job,
                                          void (*epoch)(void *context, int trial, const cs_epoch_row *row),
                                          void *context);

#endif
