/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a sweep, from its checks to its table. */
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "device.h"
#include "job/chosen.h"
#include "job/contents.h"
#include "launch.h"
#include "plan/space.h"
#include "reporter.h"
#include "results/folder.h"
#include "results/journal.h"
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t stop_requested, signals_seen;

static void request_stop(int number) {
    if (signals_seen && number != SIGUSR2) {
        signal(number, SIG_DFL);
        raise(number);
    }
    signals_seen = stop_requested = 1;
}

/* The first signal asks the trainer to stop; a second SIGINT or SIGTERM ends the process. mpirun passes SIGUSR2 on, and
 * a batch system can send it before the time limit; it may come more than once. SIGPIPE (a peer that died, a closed
 * pipe) and SIGXFSZ (a file beyond its limit) are ignored: the call that fails reports the error. */
static void catch_signals(void) {
    static const int asking[] = {SIGINT, SIGTERM, SIGUSR2}, ignored[] = {SIGPIPE, SIGXFSZ};
    const struct sigaction ask = {.sa_handler = request_stop, .sa_flags = SA_RESTART};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++)
        sigaction(asking[i], &ask, NULL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        sigaction(ignored[i], &ignore, NULL);
}

/* What a rank has during a sweep. Members that only rank 0 has are NULL on the others. */
typedef struct sweep {
    cs_ranks *ranks;
    cs_job *job;
    bool first; /* rank 0 */
    int threads;
    char folder[CS_PATH_MAX];
    cs_file_lock *lock;
    bool lockless;       /* the file system has no locks */
    cs_journal *earlier; /* the journal that is resumed */
    cs_plan *plan;
    cs_engine *engine;
    cs_rank_group *group;
    cs_results *results;
    cs_coordinator *coordinator;
} sweep;

/* Locks the results folder for this program. It is called before the checks, when the folder exists only if an earlier
 * sweep created it, and again after it was created. */
static cs_status lock_folder(sweep *s) {
    char path[CS_PATH_MAX];
    if (s->lock || s->lockless || !cs_is_folder(s->folder))
        return CS_OK;
    CS_TRY(cs_path(path, sizeof path, "%s/" CS_SWEEP_LOCK, s->folder));
    cs_status status = cs_file_lock_try(path, &s->lock);
    s->lockless = status == CS_ERR_UNSUPPORTED;
    if (s->lockless) {
        cs_log(CS_LOG_WARN, "%s: take care that no second program trains into this folder", cs_error_last()->text);
        return CS_OK;
    }
    CS_TRY(status);
    if (s->lock)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: another program is training into this folder", s->folder),
                   "`cnnsweep status %s` shows how far it is; use --out ANOTHER_FOLDER to train beside it", s->folder);
}

static cs_status read_earlier(sweep *s, const cs_sweep_options *options) {
    CS_TRY(lock_folder(s));
    CS_TRY(cs_job_read_contents(s->job));
    return cs_journal_resume(s->folder, options, s->job, &s->earlier);
}

/* All ranks must have the same engine: engines round differently, and one rank may go on with a trial that another
 * began. */
static cs_status check_one_engine(sweep *s) {
    char first[CS_NAME_MAX];
    snprintf(first, sizeof first, "%s", cs_engine_name(s->engine));
    CS_TRY(cs_ranks_share(s->ranks, first, sizeof first));
    const char *own = cs_engine_name(s->engine);
    bool same = strcmp(first, own) == 0;
    return cs_ranks_agree(s->ranks, same ? CS_OK
                                         : cs_hint(cs_fail(CS_ERR_ARG, "rank %d has engine %s, rank 0 %s",
                                                           cs_ranks_rank(s->ranks), own, first),
                                                   "give every rank a GPU, or none of them one: --device cpu"));
}

static cs_status log_plan(const sweep *s) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return cs_fail(CS_ERR_NO_MEMORY, "no memory for the plan's text");
    cs_plan_print(s->plan, out);
    cs_space_print(s->plan, s->folder, out);
    fclose(out);
    cs_log(CS_LOG_INFO, "%.*s", (int)size - 1, text);
    free(text);
    return CS_OK;
}

/* Says that the scheduler and the budget of minutes know only the trials of this part. */
static void log_part(const cs_job *job) {
    bool compares = job->scheduler.kind != CS_SCHEDULER_NONE, counts = job->budget.minutes > 0;
    if (job->parts == 0)
        return;
    cs_log(CS_LOG_INFO, "%s: part %d of %d (from 0): %d of %d trials%s%s", job->name, job->part, job->parts,
           cs_job_part_trials(job), job->n_trials, compares ? "; the scheduler compares trials of this part alone" : "",
           counts ? "; each part has the budget's minutes" : "");
}

static cs_status open_results(sweep *s, const cs_sweep_options *options) {
    cs_results_config config = {.job = s->job,
                                .dataset = s->plan->dataset,
                                .folder = s->folder,
                                .earlier = s->earlier,
                                .force = options->force,
                                .ranks = cs_ranks_size(s->ranks),
                                .threads = s->threads,
                                .engine = cs_engine_name(s->engine)};
    CS_TRY(cs_folder_create(s->folder));
    CS_TRY(lock_folder(s));
    CS_TRY(cs_results_open(&config, &s->results));
    log_part(s->job);
    cs_log(CS_LOG_INFO, "%s: %d trials on %d rank%s of %d thread%s, engine %s%s, results in %s", s->job->name,
           cs_job_part_trials(s->job), config.ranks, config.ranks == 1 ? "" : "s", s->threads,
           s->threads == 1 ? "" : "s", cs_engine_label(s->engine), s->job->run.deterministic ? " deterministic" : "",
           s->folder);
    return log_plan(s);
}

static cs_status open_coordinator(sweep *s, const cs_sweep_options *options) {
    CS_TRY(open_results(s, options));
    return cs_coordinator_open(s->plan, s->results, s->earlier, &stop_requested, &s->coordinator);
}

/* Gives all ranks the values that an earlier run chose for trials. */
static cs_status share_values(sweep *s) {
    typedef struct known_trial {
        int trial;
        cs_chosen chosen;
    } known_trial;
    cs_job *job = s->job;
    known_trial *all = NULL;
    int n = 0;
    for (int t = 0; t < job->n_trials && cs_job_chooses(job); t++)
        n += !cs_job_is_open(job, t);
    CS_TRY(cs_ranks_share(s->ranks, &n, sizeof n));
    CS_TRY(cs_ranks_agree(s->ranks, cs_alloc((size_t)n, sizeof *all, "values of trials", &all)));
    for (int t = 0, i = 0; t < job->n_trials && s->first && n > 0; t++)
        if (!cs_job_is_open(job, t)) {
            all[i].trial = t;
            cs_job_get_chosen(job, t, &all[i++].chosen);
        }
    cs_status status = n > 0 ? cs_ranks_share(s->ranks, all, (size_t)n * sizeof *all) : CS_OK;
    for (int i = 0; i < n && status == CS_OK; i++)
        status = cs_job_set_chosen(job, all[i].trial, &all[i].chosen);
    free(all);
    return cs_ranks_agree(s->ranks, status);
}

/* Checks that all ranks see the same dataset and weights files as rank 0, which planned with them. A node may have a
 * copy of its own. A rank that sees another file would take one trial after the other and fail each, so the sweep does
 * not begin. */
static cs_status share_contents(sweep *s) {
    size_t n = (size_t)s->job->n_trials;
    uint64_t *sums = NULL; /* of the weights files of the trials, then of the dataset */
    CS_TRY(cs_ranks_agree(s->ranks, cs_alloc(n + 1, sizeof *sums, "checksums", &sums)));
    for (size_t t = 0; t < n; t++)
        sums[t] = s->job->trials[t].weights_checksum;
    if (s->first)
        sums[n] = cs_dataset_checksum(s->plan->dataset);
    cs_status status = cs_ranks_share(s->ranks, sums, (n + 1) * sizeof *sums);
    for (size_t t = 0; t < n; t++) {
        s->job->trials[t].weights_checksum = sums[t];
        s->job->trials[t].data.checksum = sums[n];
    }
    free(sums);
    CS_TRY(status);
    /* Rank 0 has verified the data: reading all of it again on every rank and for every trial would be a waste. A value
     * that the user set stays. */
    setenv("CNNSWEEP_TRUST_SHARDS", "1", 0);
    return cs_ranks_agree(s->ranks, s->first ? CS_OK : cs_job_check_contents(s->job));
}

/* Tells all ranks what rank 0 has found in the journal. */
static cs_status share_resumed(sweep *s) {
    cs_job *job = s->job;
    size_t n = (size_t)job->n_trials;
    CS_TRY(cs_ranks_share(s->ranks, job->numbers, n * sizeof *job->numbers));
    return cs_ranks_share(s->ranks, job->extended, n * sizeof *job->extended);
}

/* Makes all checks. An error that every trial would have is reported here, once, and every rank returns it. */
static cs_status prepare(sweep *s, const cs_sweep_options *options) {
    bool by_engine;
    CS_TRY(cs_ranks_check_launch(s->ranks));
    CS_TRY(cs_ranks_agree(s->ranks, cs_rank_group_open(s->ranks, s->job->run.ranks_per_trial, &s->group)));
    CS_TRY(cs_results_folder(s->job, options, s->folder));
    CS_TRY(cs_ranks_agree(s->ranks, s->first ? read_earlier(s, options) : CS_OK));
    CS_TRY(share_resumed(s));
    CS_TRY(share_values(s));
    CS_TRY(cs_ranks_choose_threads(s->ranks, s->job->run.threads, s->earlier ? s->earlier->threads : 0));
    s->threads = cs_ranks_threads(s->ranks, s->job->run.threads);
    CS_TRY(cs_ranks_agree(s->ranks, cs_job_open_engine(s->job, s->ranks, &s->engine)));
    CS_TRY(cs_launch_print(s->ranks, s->job->run.threads, s->engine));
    CS_TRY(check_one_engine(s));
    CS_TRY(cs_engine_join(s->engine, cs_rank_group_comm(s->group), &by_engine)); /* logs how gradients will be summed */
    CS_TRY(cs_ranks_agree(s->ranks, s->first ? cs_plan_create(s->job, s->ranks, s->engine, &s->plan) : CS_OK));
    CS_TRY(share_contents(s));
    CS_TRY(cs_launch_check_folder(s->ranks, s->folder));
    return cs_ranks_agree(s->ranks, s->first ? open_coordinator(s, options) : CS_OK);
}

/* Raises the log level: the plan has logged once what the trainer logs about every network at level info, and the
 * display shows the rest. */
static cs_status train(sweep *s) {
    cs_queue *queue = NULL;
    cs_reporter *reporter = NULL;
    cs_log_level level = cs_log_get_level();
    CS_TRY(cs_queue_open(s->ranks, s->job->run.ranks_per_trial, s->coordinator, &stop_requested, &queue));
    /* Without it the sweep goes on and says less. */
    if (s->first && cs_reporter_open(s->coordinator, s->folder, &reporter) != CS_OK)
        cs_log(CS_LOG_WARN, "%s", cs_error_last()->text);
    if (level == CS_LOG_INFO)
        cs_log_set_level(CS_LOG_WARN);
    cs_status status =
        cs_worker_run(s->job, s->folder, s->engine, cs_ranks_on_node(s->ranks), queue, s->group, &stop_requested);
    cs_log_set_level(level);
    if (status == CS_OK)
        cs_queue_close(queue); /* rank 0 waits here until the others have ended too */
    cs_reporter_close(reporter);
    CS_TRY(status);
    return s->first ? cs_coordinator_error(s->coordinator) : CS_OK;
}

static cs_status check_outcomes(const sweep *s) {
    const cs_outcome *outcomes = cs_results_outcomes(s->results);
    int failed = 0, last = 0;
    for (int t = s->job->n_trials - 1; t >= 0; t--) {
        if (outcomes[t].state != CS_TRIAL_FAILED)
            continue;
        failed++;
        last = t;
    }
    if (failed == 0 || failed < cs_job_part_trials(s->job))
        return CS_OK;
    return cs_fail(CS_ERR_DIVERGED, "all %d trials failed: %s", failed, outcomes[last].reason);
}

/* Writes the page about the sweep. Its results stand without it, so that a page that cannot be written is a warning. */
static void write_report(const sweep *s) {
    char out[CS_PATH_MAX];
    const char *const folders[] = {s->folder};
    const double begun = cs_now();
    const cs_report_options options = {.dataset = s->plan->dataset, .engine = s->engine, .again = true};
    if (!s->job->run.report)
        return;
    if (cs_sweep_report(folders, 1, &options, out) == CS_OK)
        cs_log(CS_LOG_DEBUG, "report.html was written in %.3f s", cs_now() - begun);
    else
        cs_log(CS_LOG_WARN, "no report.html: %s", cs_error_last()->text);
}

/* Writes the table on rank 0, also for a sweep that was stopped; the error that stopped it is then returned. A signal
 * that came when all trials had ended stopped nothing. */
static cs_status end(sweep *s, cs_status status, FILE *out) {
    cs_error error = *cs_error_last();
    cs_coordinator_close(s->coordinator);
    s->coordinator = NULL;
    if (status == CS_OK || (status == CS_ERR_INTERRUPTED && cs_results_complete(s->results))) {
        CS_TRY(cs_results_end(s->results, "done", out));
        write_report(s);
        return check_outcomes(s);
    }
    if (cs_results_end(s->results, cs_status_name(status), out) != CS_OK)
        cs_log(CS_LOG_WARN, "%s", cs_error_last()->text);
    else
        write_report(s);
    status = cs_error_restore(&error);
    return status == CS_ERR_INTERRUPTED
               ? cs_hint(status, "what is finished is in %s; --resume goes on with it", s->folder)
               : status;
}

static void close_sweep(sweep *s) {
    cs_coordinator_close(s->coordinator);
    cs_results_close(s->results);
    cs_engine_close(s->engine);
    cs_rank_group_close(s->group);
    cs_plan_free(s->plan);
    cs_journal_free(s->earlier);
    cs_file_lock_release(s->lock);
}

cs_status cs_sweep_run(cs_ranks *ranks, cs_job *job, const cs_sweep_options *options, FILE *out) {
    sweep s = {.ranks = ranks, .job = job, .first = cs_ranks_rank(ranks) == 0};
    catch_signals();
    cs_status status = prepare(&s, options);
    if (status == CS_OK) {
        status = train(&s);
        if (s.first && status != CS_ERR_COMM)
            status = end(&s, status, out);
        status = cs_ranks_agree(ranks, status);
    }
    close_sweep(&s);
    return status;
}
