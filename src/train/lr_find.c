/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/lr_find.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/schedule.h"
#include "cnnsweep/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A test that is under way. */
typedef struct range_test {
    cs_lr_range *range;
    int steps, batches; /* the updates of the test, and the batches of an update */
    int done;           /* batches of the present update */
    double sum;         /* of their losses */
    double average, lowest;
    volatile sig_atomic_t stop;
} range_test;

static void add_point(range_test *test, double rate, double loss) {
    const double beta = 0.98, too_high = 4;
    cs_lr_range *range = test->range;
    test->average = loss + beta * (test->average - loss);
    cs_lr_point point = {rate, loss, test->average / (1 - pow(beta, range->n + 1))};
    range->points[range->n++] = point;
    if (point.smoothed < test->lowest)
        test->lowest = point.smoothed;
    range->rose = point.smoothed > too_high * test->lowest && range->n < test->steps;
    if (range->rose || range->n == test->steps)
        test->stop = 1;
}

static void on_batch(void *context, int trial, double learning_rate, double loss) {
    range_test *test = context;
    (void)trial;
    test->sum += loss;
    if (++test->done < test->batches)
        return;
    add_point(test, learning_rate, test->sum / test->batches);
    test->done = 0;
    test->sum = 0;
}

static int find_schedule(const char *name) {
    int kind = 0;
    while (strcmp(cs_schedule_name(kind), name) != 0)
        kind++;
    return kind;
}

/* The trial with a rate that rises from min to max in `steps` updates. It has enough epochs, as none has fewer batches
 * than one. */
static cs_trial_config make_trial(const cs_lr_find_config *config, int batches) {
    cs_trial_config trial = *config->trial;
    cs_train_config *train = &trial.train;
    train->epochs = config->steps * batches + 1;
    train->optimizer.lr = config->min;
    train->schedule.kind = find_schedule("exponential");
    train->schedule.interval = CS_INTERVAL_STEP;
    train->schedule.decay_steps = config->steps - 1;
    train->schedule.decay_rate = config->max / config->min;
    train->schedule.staircase = false;
    train->schedule.warmup_epochs = 0;
    train->schedule.warmup_steps = 0;
    train->swa = (cs_swa_config){0};
    train->patience = 0;
    train->save_epoch = CS_SAVE_TESTED;
    train->evaluate[0] = '\0';
    trial.phase = (cs_phase){0};
    return trial;
}

static double steepest(const cs_lr_point *points, int n) {
    double least = INFINITY, rate = points[0].rate;
    for (int i = 0; i + 1 < n; i++) {
        double slope = (points[i + 1].smoothed - points[i].smoothed) / (log(points[i + 1].rate) - log(points[i].rate));
        if (slope < least) {
            least = slope;
            rate = points[i].rate;
        }
    }
    return rate;
}

/* `lengths` [n] gets the length of the longest run that ends at each point. */
static double middle_of_valley(const cs_lr_point *points, int n, int *lengths) {
    int end = 0;
    for (int i = 0; i < n; i++) {
        lengths[i] = 1;
        for (int k = 0; k < i; k++)
            if (points[i].smoothed < points[k].smoothed && lengths[i] < lengths[k] + 1)
                lengths[i] = lengths[k] + 1;
        if (lengths[i] > lengths[end])
            end = i;
    }
    const double third = lengths[end] / 3.0;
    int at = end - lengths[end] + (int)third + (int)(third / 2);
    return points[at > 0 ? at : 0].rate;
}

static cs_status suggest(cs_lr_range *range, int steps) {
    enum { LAST = 5, TENTH = 10 };
    int first = steps / TENTH, n = range->n - LAST - first, *lengths;
    range->steep = range->valley = NAN;
    if (n < 2)
        return CS_OK;
    CS_TRY(cs_alloc((size_t)n, sizeof *lengths, "range test", &lengths));
    range->steep = steepest(range->points + first, n);
    range->valley = middle_of_valley(range->points + first, n, lengths);
    free(lengths);
    return CS_OK;
}

cs_status cs_lr_find(cs_engine *engine, const cs_lr_find_config *config, cs_lr_range *out) {
    int accumulate = config->trial->train.optimizer.accumulate, batches = accumulate > 1 ? accumulate : 1;
    const cs_trial_config trial = make_trial(config, batches);
    range_test test = {.range = out, .steps = config->steps, .batches = batches, .lowest = INFINITY};
    const cs_train_events events = {.context = &test, .batch = on_batch};
    const cs_group_config group = {
        .trials = &trial, .n = 1, .trains_only = true, .events = &events, .stop = &test.stop};
    *out = (cs_lr_range){0};
    CS_TRY(cs_alloc((size_t)config->steps, sizeof *out->points, "range test", &out->points));
    cs_status status = cs_group_train(engine, &group);
    out->diverged = status == CS_ERR_DIVERGED && out->n > 0;
    if (!test.stop && !out->diverged)
        return status;
    return suggest(out, config->steps);
}

void cs_lr_range_free(cs_lr_range *range) {
    free(range->points);
    *range = (cs_lr_range){0};
}
