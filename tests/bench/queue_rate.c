/* SPDX-License-Identifier: Apache-2.0 */
/* The product's own queue, coordinator and results folder with nothing to train. Every rank asks, sleeps as long as the
 * trial is said to take, reports its epochs and its end, and asks again; one JSON object says what rank 0 did
 * meanwhile:
 *
 *     mpirun -n RANKS queue_rate JOB.yaml FOLDER MEAN SIGMA CLAIMED ROOT
 *
 * MEAN: the mean length of a trial in seconds, log-normal with SIGMA; 0: no length. CLAIMED: further seconds that an
 * epoch reports; the sum of these decides whether its row is synced to the disk. ROOT: what rank 0 does besides
 * serving: `serves` is nothing else, `takes` takes trials like the other ranks, `computes` takes trials too, but keeps
 * the core busy for their length, at least 50 ms.
 *
 * Linked with --wrap, so that calls of the coordinator, of fsync and of the service thread's sleep are timed from
 * outside. */
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/random.h"
#include "run/queue.h"
#include "run/ranks_impl.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { KINDS = CS_REPORT_LEAVING + 1, CLASSES_MAX = 64, ARGUMENTS = 7 };
static const char *const kind_names[KINDS] = {"ask", "epoch", "finished", "failed", "leaving"};
static const double micro = 1e6;

/* Counts and times of the wrapped calls. If there are other ranks, only the service thread's calls of the coordinator
 * count. */
static struct {
    pthread_t main;
    bool others;
    long n[KINDS], sleeps, commits, syncs;
    double seconds[KINDS], sleep, commit, sync; /* seconds */
    double cpu;                                 /* of the service thread, when it was last here */
} seen;

static double clock_of(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool counts_here(void) {
    return seen.others == !pthread_equal(pthread_self(), seen.main);
}

void __real_cs_coordinator_handle(cs_coordinator *coordinator, int rank, const cs_message *message, int64_t *counts,
                                  cs_answer *answer);
void __wrap_cs_coordinator_handle(cs_coordinator *coordinator, int rank, const cs_message *message, int64_t *counts,
                                  cs_answer *answer);
void __wrap_cs_coordinator_handle(cs_coordinator *coordinator, int rank, const cs_message *message, int64_t *counts,
                                  cs_answer *answer) {
    double begun = cs_now();
    __real_cs_coordinator_handle(coordinator, rank, message, counts, answer);
    if (!counts_here())
        return;
    seen.n[message->kind]++;
    seen.seconds[message->kind] += cs_now() - begun;
    seen.cpu = clock_of(CLOCK_THREAD_CPUTIME_ID);
}

void __real_cs_coordinator_commit(cs_coordinator *coordinator, cs_answer *answers, int n);
void __wrap_cs_coordinator_commit(cs_coordinator *coordinator, cs_answer *answers, int n);
void __wrap_cs_coordinator_commit(cs_coordinator *coordinator, cs_answer *answers, int n) {
    double begun = cs_now();
    __real_cs_coordinator_commit(coordinator, answers, n);
    if (n == 0 || !counts_here())
        return;
    seen.commits++;
    seen.commit += cs_now() - begun;
}

void __real_cs_ranks_sleep(void);
void __wrap_cs_ranks_sleep(void);
void __wrap_cs_ranks_sleep(void) {
    double begun = cs_now();
    __real_cs_ranks_sleep();
    seen.sleeps++;
    seen.sleep += cs_now() - begun;
    seen.cpu = clock_of(CLOCK_THREAD_CPUTIME_ID);
}

int __real_fsync(int file);
int __wrap_fsync(int file);
int __wrap_fsync(int file) {
    double begun = cs_now();
    int result = __real_fsync(file);
    seen.syncs++;
    seen.sync += cs_now() - begun;
    return result;
}

/* The load, which rank 0 reads from the job and sends to all ranks. */
typedef struct load {
    int trials, epochs, classes;
    double mean, sigma, claimed;
} load;

/* The seconds that a rank waited for answers, in the order of its messages. */
typedef struct waits {
    double *seconds[KINDS];
    size_t n[KINDS], capacity[KINDS];
    double slept, burnt;
} waits;

/* The length of a trial, from two uniform numbers (Box and Muller); it is the same on every rank. */
static double length_of(const load *l, int trial) {
    cs_rng rng = cs_rng_at(1, CS_PURPOSE_TEST, 0, (uint32_t)trial);
    double u = 1 - (double)cs_rng_float(&rng), v = (double)cs_rng_float(&rng);
    double normal = sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
    return l->mean * exp(l->sigma * normal - l->sigma * l->sigma / 2);
}

static void spend(double seconds, bool compute, waits *w) {
    double begun = cs_now();
    if (compute) {
        for (volatile double x = 1; cs_now() - begun < seconds;)
            for (int i = 0; i < 1000; i++)
                x = x * 0.5 + 1;
    } else if (seconds > 0) {
        const struct timespec length = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
        nanosleep(&length, NULL);
    }
    *(compute ? &w->burnt : &w->slept) += cs_now() - begun;
}

static cs_status exchange(cs_queue *queue, cs_message *message, const cs_evaluation *const *evaluations,
                          cs_answer *answer, waits *w) {
    cs_message_kind kind = message->kind;
    double begun = cs_now();
    CS_TRY(cs_queue_send(queue, message, evaluations, answer));
    CS_TRY(cs_grow(&w->seconds[kind], &w->capacity[kind], w->n[kind] + 1, sizeof *w->seconds[kind], "waits"));
    w->seconds[kind][w->n[kind]++] = cs_now() - begun;
    return answer->refused ? cs_fail(CS_ERR_IO, "rank 0 could not write") : CS_OK;
}

static cs_status train(cs_queue *queue, const load *l, int trial, bool compute, waits *w) {
    const double least = 0.05;
    static double values[3 + CLASSES_MAX * CLASSES_MAX]; /* tally and confusion matrix */
    double length = length_of(l, trial), claimed = length + l->epochs * l->claimed;
    const cs_evaluation test = {.spec = {.classes = l->classes, .needs = CS_NEEDS_CONFUSION}, .values = values};
    const cs_evaluation *evaluations[CS_SPLIT_COUNT] = {[CS_SPLIT_TEST] = &test};
    cs_answer answer;
    if (compute && length < least)
        length = least;
    int epochs = 0;
    for (bool enough = false; !enough && epochs < l->epochs; epochs++) {
        cs_rng rng = cs_rng_at(2, CS_PURPOSE_TEST, (uint32_t)epochs, (uint32_t)trial);
        double value = (double)cs_rng_float(&rng);
        cs_message report = {.kind = CS_REPORT_EPOCH, .trial = trial};
        spend(length / l->epochs, compute, w);
        report.epoch = (cs_epoch_row){.epoch = epochs, .seconds = claimed / l->epochs};
        for (int i = 0; i < CS_EPOCH_VALUES; i++)
            report.epoch.value[i] = value;
        CS_TRY(exchange(queue, &report, NULL, &answer, w));
        enough = answer.enough;
    }
    cs_message done = {.kind = CS_REPORT_FINISHED, .trial = trial};
    done.result = (cs_trial_result){.epochs_run = epochs, .seconds = claimed};
    return exchange(queue, &done, evaluations, &answer, w);
}

static cs_status work(cs_queue *queue, const load *l, bool takes, bool compute, waits *w) {
    cs_answer answer = {0};
    while (takes) {
        cs_message ask = {.kind = CS_ASK_GROUP};
        CS_TRY(exchange(queue, &ask, NULL, &answer, w));
        if (answer.n == 0)
            break;
        for (int i = 0; i < answer.n; i++)
            CS_TRY(train(queue, l, answer.trials[i], compute, w));
    }
    cs_message leaving = {.kind = CS_REPORT_LEAVING};
    return exchange(queue, &leaving, NULL, &answer, w);
}

/* Makes the plan of cs_plan_create, but for given lengths. */
static cs_status make_plan(const load *l, const cs_job *job, cs_dataset *dataset, int rank_groups, cs_plan *plan) {
    size_t n = (size_t)l->trials;
    const cs_group_limits limits = {.ranks = rank_groups, .most = 1, .memory = INFINITY};
    *plan = (cs_plan){.job = job, .dataset = dataset, .rank_groups = rank_groups, .n_costs = l->trials};
    CS_TRY(cs_alloc(n, sizeof *plan->seconds, "plan", &plan->seconds));
    CS_TRY(cs_alloc(n, sizeof *plan->costs, "plan", &plan->costs));
    CS_TRY(cs_alloc(n, sizeof *plan->groups, "plan", &plan->groups));
    for (int t = 0; t < l->trials; t++) {
        plan->seconds[t] = length_of(l, t);
        plan->total_seconds += plan->seconds[t];
        plan->costs[t] = (cs_cost){.trial = t, .share_key = (uint64_t)t, .epochs = l->epochs, .tail = plan->seconds[t]};
    }
    CS_TRY(cs_groups_make(plan->costs, l->trials, &limits, plan->groups, &plan->n_groups));
    return cs_groups_makespan(plan->groups, plan->n_groups, rank_groups, &plan->makespan);
}

/* What only rank 0 has. */
typedef struct root_state {
    cs_job *job;
    cs_plan plan;
    cs_results *results;
    cs_coordinator *coordinator;
    double read, planned, opened, ran, ended; /* seconds of each step */
} root_state;

static volatile sig_atomic_t stop;

static cs_status open_root(const char *folder, int ranks, int rank_groups, load *l, root_state *o) {
    cs_dataset *dataset = NULL;
    double begun = cs_now();
    CS_TRY(cs_dataset_open(o->job->base.data.path, &dataset));
    l->trials = o->job->n_trials;
    l->epochs = o->job->base.train.epochs;
    l->classes = cs_dataset_class_count(dataset);
    if (l->classes > CLASSES_MAX)
        return cs_fail(CS_ERR_ARG, "%d classes, at most %d", l->classes, CLASSES_MAX);
    CS_TRY(make_plan(l, o->job, dataset, rank_groups, &o->plan));
    o->planned = cs_now() - begun;
    const cs_results_config config = {.job = o->job,
                                      .dataset = dataset,
                                      .folder = folder,
                                      .force = true,
                                      .ranks = ranks,
                                      .threads = 1,
                                      .engine = "none"};
    CS_TRY(cs_results_open(&config, &o->results));
    CS_TRY(cs_coordinator_open(&o->plan, o->results, NULL, &stop, &o->coordinator));
    o->opened = cs_now() - begun - o->planned;
    return CS_OK;
}

static cs_status close_root(root_state *o) {
    FILE *nowhere = fopen("/dev/null", "w");
    double begun = cs_now();
    cs_status status = cs_coordinator_error(o->coordinator);
    cs_coordinator_close(o->coordinator);
    if (status == CS_OK && nowhere)
        status = cs_results_end(o->results, "done", nowhere);
    if (nowhere)
        fclose(nowhere);
    cs_results_close(o->results);
    o->ended = cs_now() - begun;
    cs_dataset_close(o->plan.dataset);
    free(o->plan.seconds);
    free(o->plan.costs);
    free(o->plan.groups);
    cs_job_free(o->job);
    return status;
}

static int ascending(const void *a, const void *b) {
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* The waits of all ranks but 0, sorted, on rank 0. */
static cs_status gather(const cs_ranks *ranks, const waits *own, int kind, double **all, int *n) {
    int size = cs_ranks_size(ranks), rank = cs_ranks_rank(ranks), mine = rank == 0 && size > 1 ? 0 : (int)own->n[kind];
    int *counts = NULL, *places = NULL;
    *n = mine;
    CS_TRY(cs_alloc((size_t)size, sizeof *counts, "waits", &counts));
    CS_TRY(cs_alloc((size_t)size, sizeof *places, "waits", &places));
    if (size > 1)
        MPI_Gather(&mine, 1, MPI_INT, counts, 1, MPI_INT, 0, MPI_COMM_WORLD);
    for (int r = 1; r < size; r++)
        places[r] = places[r - 1] + counts[r - 1];
    if (size > 1)
        *n = places[size - 1] + counts[size - 1];
    CS_TRY(cs_alloc((size_t)*n + 1, sizeof **all, "waits", all));
    if (size > 1)
        MPI_Gatherv(own->seconds[kind], mine, MPI_DOUBLE, *all, counts, places, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    else if (mine > 0)
        memcpy(*all, own->seconds[kind], (size_t)mine * sizeof **all);
    qsort(*all, (size_t)*n, sizeof **all, ascending);
    free(counts);
    free(places);
    return CS_OK;
}

static double quantile(const double *sorted, int n, double part) {
    return n ? sorted[(int)(part * (n - 1))] : 0;
}

static cs_status print_kinds(const cs_ranks *ranks, const waits *own) {
    bool first = cs_ranks_rank(ranks) == 0;
    for (int kind = 0; kind < KINDS; kind++) {
        double *all = NULL;
        int n;
        CS_TRY(gather(ranks, own, kind, &all, &n));
        if (first && seen.n[kind] > 0)
            printf("\"%s\": {\"n\": %ld, \"us\": %.2f, \"wait_median_us\": %.1f, \"wait_p99_us\": %.1f}, ",
                   kind_names[kind], seen.n[kind], seen.seconds[kind] / (double)seen.n[kind] * micro,
                   quantile(all, n, 0.5) * micro, quantile(all, n, 0.99) * micro);
        free(all);
    }
    return CS_OK;
}

static void print_rest(const load *l, const root_state *o, int ranks) {
    struct rusage usage;
    long messages = 0;
    for (int kind = 0; kind < KINDS; kind++)
        messages += seen.n[kind];
    getrusage(RUSAGE_SELF, &usage);
    printf("\"ranks\": %d, \"trials\": %d, \"epochs\": %d, \"mean\": %g, \"sigma\": %g, \"claimed\": %g, ", ranks,
           l->trials, l->epochs, l->mean, l->sigma, l->claimed);
    printf("\"read_s\": %.4f, \"plan_s\": %.4f, \"open_s\": %.4f, \"run_s\": %.4f, \"end_s\": %.4f, ", o->read,
           o->planned, o->opened, o->ran, o->ended);
    printf("\"bound_s\": %.4f, \"messages\": %ld, \"syncs\": %ld, \"sync_us\": %.1f, ", o->plan.makespan, messages,
           seen.syncs, seen.syncs ? seen.sync / (double)seen.syncs * micro : 0);
    printf("\"commits\": %ld, \"commit_us\": %.1f, ", seen.commits,
           seen.commits ? seen.commit / (double)seen.commits * micro : 0);
    printf("\"sleep_us\": %.1f, \"sleeps\": %ld, \"busy\": %.4f, \"service_cpu_s\": %.4f, \"resident_MB\": %.0f}\n",
           seen.sleeps ? seen.sleep / (double)seen.sleeps * micro : 0, seen.sleeps, 1 - seen.sleep / o->ran, seen.cpu,
           (double)usage.ru_maxrss / 1024);
}

static cs_status run(cs_ranks *ranks, char **arguments) {
    const char *root = arguments[6];
    int rank = cs_ranks_rank(ranks), size = cs_ranks_size(ranks);
    bool takes = rank > 0 || strcmp(root, "serves") != 0, compute = rank == 0 && strcmp(root, "computes") == 0;
    seen.others = size > 1;
    load l = {.mean = strtod(arguments[3], NULL), .sigma = strtod(arguments[4], NULL)};
    root_state o = {0};
    waits w = {0};
    cs_queue *queue = NULL;
    l.claimed = strtod(arguments[5], NULL);
    if (rank == 0) {
        double begun = cs_now();
        CS_TRY(cs_job_read(arguments[1], NULL, 0, &o.job));
        o.read = cs_now() - begun;
        CS_TRY(open_root(arguments[2], size, takes ? size : size - 1, &l, &o));
    }
    CS_TRY(cs_ranks_share(ranks, &l, sizeof l));
    double begun = cs_now();
    seen.syncs = 0;
    seen.sync = 0;
    CS_TRY(cs_queue_open(ranks, 1, o.coordinator, &stop, &queue));
    CS_TRY(work(queue, &l, takes, compute, &w));
    cs_queue_close(queue);
    o.ran = cs_now() - begun;
    if (rank == 0)
        printf("{");
    CS_TRY(print_kinds(ranks, &w));
    for (int kind = 0; kind < KINDS; kind++)
        free(w.seconds[kind]);
    if (rank > 0)
        return CS_OK;
    CS_TRY(close_root(&o));
    print_rest(&l, &o, size);
    return CS_OK;
}

int main(int n, char **arguments) {
    cs_ranks *ranks = NULL;
    seen.main = pthread_self();
    if (n != ARGUMENTS) {
        fprintf(stderr, "usage: queue_rate JOB.yaml FOLDER MEAN SIGMA CLAIMED serves|takes|computes\n");
        return 2;
    }
    cs_log_set_level(CS_LOG_WARN);
    cs_status status = cs_ranks_open(&ranks);
    if (status == CS_OK)
        status = run(ranks, arguments);
    if (status != CS_OK) {
        fprintf(stderr, "error: %s\n", cs_error_last()->text);
        cs_ranks_abort(ranks);
        return 1;
    }
    cs_ranks_close(ranks);
    return 0;
}
