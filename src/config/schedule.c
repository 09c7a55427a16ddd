/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/schedule.h"
#include "cnnsweep/swa.h"
#include "cnnsweep/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

static double constant(const cs_schedule_config *config, const cs_schedule_time *at) {
    (void)config;
    return at->lr;
}

static double step_decay(const cs_schedule_config *config, const cs_schedule_time *at) {
    return at->lr * pow(config->decay_rate, floor(at->t / at->length));
}

/* How many numbers of the list, which counts units of `unit` updates, update number `update` has reached or, with
 * `passed`, passed. */
static int count_reached(const char *list, double unit, double update, bool passed) {
    int n = 0;
    char *end;
    for (const char *next = list; *next; next = *end ? end + 1 : end) {
        double limit = strtod(next, &end) * unit;
        n += passed ? update > limit : update >= limit;
    }
    return n;
}

static int milestones_reached(const cs_schedule_config *config, const cs_schedule_time *at) {
    return count_reached(config->milestones, at->epoch * at->updates, at->t * at->updates, false) +
           count_reached(config->boundaries, 1, at->t * at->updates, true);
}

static double multistep(const cs_schedule_config *config, const cs_schedule_time *at) {
    return at->lr * pow(config->decay_rate, milestones_reached(config, at));
}

static double piecewise(const cs_schedule_config *config, const cs_schedule_time *at) {
    const char *value = config->values;
    for (int i = milestones_reached(config, at); i > 0; i--)
        value = strchr(value, ',') + 1;
    return strtod(value, NULL);
}

static double decay_progress(const cs_schedule_config *config, const cs_schedule_time *at) {
    double progress = at->t / at->length;
    return config->staircase ? floor(progress) : progress;
}

static double exponential(const cs_schedule_config *config, const cs_schedule_time *at) {
    return at->lr * pow(config->decay_rate, decay_progress(config, at));
}

static double inverse_time(const cs_schedule_config *config, const cs_schedule_time *at) {
    return at->lr / (1 + config->decay_rate * decay_progress(config, at));
}

/* With `cycle` the length is that multiple of L which is next after t. */
static double polynomial(const cs_schedule_config *config, const cs_schedule_time *at) {
    double length = at->length, t = at->t;
    if (config->cycle == CS_CHOICE_TRUE && t > 0)
        length *= ceil(t / length);
    return config->min_lr + (at->lr - config->min_lr) * pow(1 - fmin(t / length, 1), config->power);
}

/* From 1 to 0 while progress goes from 0 to 1. */
static double half_cosine(double progress) {
    return (1 + cos(pi * progress)) / 2;
}

static double cosine(const cs_schedule_config *config, const cs_schedule_time *at) {
    double t = config->cycle == CS_CHOICE_TRUE ? at->t : fmin(at->t, at->length);
    double progress = pow(t, config->k_decay) / pow(at->length, config->k_decay);
    return config->min_lr + (at->lr - config->min_lr) * half_cosine(progress);
}

static double restarts(const cs_schedule_config *config, const cs_schedule_time *at) {
    double start = 0, length = at->length, cycle = 0;
    if (config->t_mul > 1) {
        for (; at->t >= start + length; cycle++) {
            start += length;
            length *= config->t_mul;
        }
    } else {
        cycle = floor(at->t / length);
        start = cycle * length;
    }
    return config->min_lr +
           (at->lr - config->min_lr) * pow(config->m_mul, cycle) * half_cosine((at->t - start) / length);
}

static double linear(const cs_schedule_config *config, const cs_schedule_time *at) {
    return at->lr *
           (config->start_factor + (config->end_factor - config->start_factor) * fmin(at->t, at->length) / at->length);
}

/* torch counts the peak and the end one before their lengths. */
static double end_of(const cs_schedule_time *at) {
    return at->length - 1;
}

static double peak_of(const cs_schedule_config *config, const cs_schedule_time *at) {
    return config->pct_start * at->length - 1;
}

static bool is_rising(const cs_schedule_config *config, const cs_schedule_time *at) {
    double peak = peak_of(config, at);
    return peak > 0 && fmin(at->t, end_of(at)) <= peak;
}

static double one_cycle_height(const cs_schedule_config *config, const cs_schedule_time *at) {
    double peak = peak_of(config, at), end = end_of(at), t = fmin(at->t, end), fallen = 0;
    if (is_rising(config, at))
        fallen = 1 - t / peak;
    else if (end > peak)
        fallen = (t - peak) / (end - peak);
    return config->anneal == CS_ANNEAL_COS ? half_cosine(fallen) : 1 - fallen;
}

static double one_cycle(const cs_schedule_config *config, const cs_schedule_time *at) {
    double first = at->lr / config->div_factor;
    double lowest = is_rising(config, at) ? first : first / config->final_div_factor;
    return lowest + (at->lr - lowest) * one_cycle_height(config, at);
}

static double cyclic_height(const cs_schedule_config *config, const cs_schedule_time *at) {
    double cycle = floor(at->t / at->length), part = at->t / at->length - cycle, rise = config->pct_start;
    double height = part <= rise ? part / rise : (1 - part) / (1 - rise);
    return height * pow(config->m_mul, cycle) * pow(config->decay_rate, at->t);
}

static double cyclic(const cs_schedule_config *config, const cs_schedule_time *at) {
    return config->min_lr + (at->lr - config->min_lr) * cyclic_height(config, at);
}

static const cs_schedule table[] = {
    {.name = "constant", .rate = constant},
    {.name = "step",
     .rate = step_decay,
     .uses = "decay_epochs decay_steps decay_rate",
     .length = CS_LENGTH_REQUIRED,
     .decay_rate = 0.1},
    {.name = "multistep", .rate = multistep, .uses = "milestones boundaries decay_rate", .decay_rate = 0.1},
    {.name = "piecewise", .rate = piecewise, .uses = "milestones boundaries values"},
    {.name = "exponential",
     .rate = exponential,
     .uses = "decay_epochs decay_steps decay_rate staircase",
     .length = CS_LENGTH_EPOCH},
    {.name = "inverse_time",
     .rate = inverse_time,
     .uses = "decay_epochs decay_steps decay_rate staircase",
     .length = CS_LENGTH_EPOCH},
    {.name = "polynomial",
     .rate = polynomial,
     .uses = "decay_epochs decay_steps min_lr power cycle",
     .length = CS_LENGTH_TRAINING},
    {.name = "cosine",
     .rate = cosine,
     .uses = "decay_epochs decay_steps min_lr k_decay cycle",
     .length = CS_LENGTH_TRAINING,
     .torch_cycles = true},
    {.name = "restarts",
     .rate = restarts,
     .uses = "decay_epochs decay_steps min_lr t_mul m_mul",
     .length = CS_LENGTH_REQUIRED},
    {.name = "linear",
     .rate = linear,
     .uses = "decay_epochs decay_steps start_factor end_factor",
     .length = CS_LENGTH_TRAINING},
    {.name = "one_cycle",
     .rate = one_cycle,
     .uses = "decay_epochs decay_steps pct_start div_factor final_div_factor anneal cycle_momentum base_momentum "
             "max_momentum",
     .length = CS_LENGTH_TRAINING,
     .by_step = true,
     .height = one_cycle_height,
     .pct_start = 0.3,
     .base_momentum = 0.85,
     .max_momentum = 0.95},
    {.name = "cyclic",
     .rate = cyclic,
     .uses = "decay_epochs decay_steps decay_rate min_lr m_mul pct_start cycle_momentum base_momentum max_momentum",
     .length = CS_LENGTH_REQUIRED,
     .decay_rate = 1,
     .by_step = true,
     .height = cyclic_height,
     .pct_start = 0.5,
     .base_momentum = 0.8,
     .max_momentum = 0.9},
    {.name = "plateau",
     .rate = constant,
     .uses = "decay_rate min_lr plateau_monitor plateau_patience cooldown threshold threshold_mode",
     .decay_rate = 0.1},
};
enum { N_SCHEDULES = sizeof table / sizeof *table };

const char *cs_schedule_name(int i) {
    return i < N_SCHEDULES ? table[i].name : NULL;
}

const cs_schedule *cs_schedule_at(int kind) {
    return &table[kind];
}

static bool uses(const cs_schedule *schedule, const char *name) {
    size_t length = strlen(name);
    for (const char *word = schedule->uses; word && *word; word += strspn(word, " ")) {
        size_t n = strcspn(word, " ");
        if (n == length && memcmp(word, name, n) == 0)
            return true;
        word += n;
    }
    return false;
}

bool cs_schedule_uses(int kind, const char *key) {
    const char *dot = strrchr(key, '.');
    return uses(&table[kind], dot ? dot + 1 : key);
}

bool cs_schedule_is_plateau(const cs_train_config *config) {
    return cs_schedule_uses(config->schedule.kind, "plateau_patience");
}

static double or_default(double value, double fallback) {
    return value > 0 ? value : fallback;
}

cs_schedule_config cs_schedule_resolve(const cs_train_config *config) {
    cs_schedule_config all = config->schedule;
    const cs_schedule *schedule = &table[all.kind];
    bool torch = config->optimizer.dialect == CS_TRAIN_DIALECT_TORCH;
    if (all.interval == CS_INTERVAL_AUTO)
        all.interval = torch && !schedule->by_step ? CS_INTERVAL_EPOCH : CS_INTERVAL_STEP;
    if (all.cycle == CS_CHOICE_AUTO)
        all.cycle = torch && schedule->torch_cycles ? CS_CHOICE_TRUE : CS_CHOICE_FALSE;
    if (all.threshold_mode == CS_THRESHOLD_AUTO)
        all.threshold_mode = torch ? CS_THRESHOLD_REL : CS_THRESHOLD_ABS;
    all.decay_rate = or_default(all.decay_rate, schedule->decay_rate);
    all.t_mul = or_default(all.t_mul, torch ? 1 : 2);
    all.pct_start = or_default(all.pct_start, schedule->pct_start);
    all.base_momentum = or_default(all.base_momentum, schedule->base_momentum);
    all.max_momentum = or_default(all.max_momentum, schedule->max_momentum);
    return all;
}

/* The batches of an update. */
static int64_t batches_of_update(const cs_train_config *config) {
    return config->optimizer.accumulate > 1 ? config->optimizer.accumulate : 1;
}

int64_t cs_schedule_warmup(const cs_train_config *config, int64_t steps) {
    const cs_schedule_config *schedule = &config->schedule;
    return schedule->warmup_steps > 0 ? schedule->warmup_steps * batches_of_update(config)
                                      : llround(schedule->warmup_epochs * (double)steps);
}

/* The batches before the schedule begins. */
static int64_t batches_before(const cs_train_config *config, int64_t steps) {
    return config->schedule.warmup_prefix ? cs_schedule_warmup(config, steps) : 0;
}

/* The length of the decay in batches. */
static double length_of(const cs_train_config *config, int64_t steps) {
    const cs_schedule_config *schedule = &config->schedule;
    if (schedule->decay_steps > 0)
        return (double)(schedule->decay_steps * batches_of_update(config));
    if (schedule->decay_epochs > 0)
        return schedule->decay_epochs * (double)steps;
    if (table[schedule->kind].length == CS_LENGTH_TRAINING)
        return fmax(1, (double)(config->epochs * steps - batches_before(config, steps)));
    return (double)steps;
}

static cs_schedule_time time_at(const cs_train_config *config, const cs_schedule_config *resolved, double lr,
                                int64_t step, int64_t steps) {
    int64_t unit = resolved->interval == CS_INTERVAL_EPOCH ? steps : batches_of_update(config);
    int64_t from = batches_before(config, steps), t = step > from ? (step - from) / unit : 0;
    return (cs_schedule_time){.lr = lr,
                              .t = (double)t,
                              .length = length_of(config, steps) / (double)unit,
                              .epoch = (double)steps / (double)unit,
                              .updates = (double)unit / (double)batches_of_update(config)};
}

/* A warm-up in updates goes on with every update. */
static double warmup_rate(const cs_train_config *config, const cs_schedule_config *resolved, double lr, int64_t step,
                          int64_t steps) {
    bool by_epoch = resolved->interval == CS_INTERVAL_EPOCH && resolved->warmup_steps == 0;
    int64_t done = step - step % (by_epoch ? steps : batches_of_update(config));
    return resolved->warmup_lr + (lr - resolved->warmup_lr) * (double)done / (double)cs_schedule_warmup(config, steps);
}

double cs_schedule_rate(const cs_train_config *config, double lr, int64_t step, int64_t steps) {
    cs_schedule_config resolved = cs_schedule_resolve(config);
    if (step < cs_schedule_warmup(config, steps))
        return warmup_rate(config, &resolved, lr, step, steps);
    cs_schedule_time at = time_at(config, &resolved, lr, step, steps);
    return table[resolved.kind].rate(&resolved, &at);
}

/* The optimizer's momentum, or what Adam and its kin have in its place; NULL: there is neither. */
static double *momentum_of(cs_optimizer *optimizer) {
    unsigned uses = cs_optimizer_uses(optimizer->kind);
    if (uses & CS_USES_MOMENTUM)
        return &optimizer->momentum;
    return uses & CS_USES_BETAS ? &optimizer->beta_1 : NULL;
}

static double momentum_at(const cs_train_config *config, double lr, int64_t step, int64_t steps) {
    cs_schedule_config resolved = cs_schedule_resolve(config);
    cs_schedule_time at = time_at(config, &resolved, lr, step, steps);
    double height = table[resolved.kind].height(&resolved, &at);
    return resolved.max_momentum - (resolved.max_momentum - resolved.base_momentum) * height;
}

static bool changes_momentum(const cs_schedule_config *schedule, cs_optimizer *optimizer) {
    return table[schedule->kind].height && schedule->cycle_momentum && momentum_of(optimizer);
}

cs_optimizer cs_schedule_optimizer(const cs_train_config *config, double lr, int64_t step, int64_t steps) {
    cs_optimizer optimizer = config->optimizer;
    int64_t epoch = step / steps, now = cs_swa_sets_rate(config, epoch) ? config->swa.start * steps : step;
    optimizer.lr = cs_schedule_rate(config, lr, now, steps);
    if (changes_momentum(&config->schedule, &optimizer))
        *momentum_of(&optimizer) = momentum_at(config, lr, now, steps);
    if (cs_swa_sets_rate(config, epoch))
        optimizer.lr = cs_swa_rate(config, optimizer.lr, epoch);
    return optimizer;
}

void cs_schedule_prepare(cs_train_config *config) {
    if (changes_momentum(&config->schedule, &config->optimizer))
        *momentum_of(&config->optimizer) = cs_schedule_resolve(config).max_momentum;
}

bool cs_schedule_keep_length(const cs_train_config *config, char *out, size_t size) {
    const cs_schedule_config *schedule = &config->schedule;
    bool spans = table[schedule->kind].length == CS_LENGTH_TRAINING && schedule->decay_steps == 0 &&
                 !(schedule->decay_epochs > 0);
    double before = schedule->warmup_prefix ? schedule->warmup_epochs : 0;
    char text[32];
    out[0] = '\0';
    if (!spans)
        return true;
    cs_double_text(config->epochs - before, text, sizeof text);
    snprintf(out, size, "train.decay_epochs=%s", text);
    return schedule->warmup_steps == 0 || !schedule->warmup_prefix;
}
