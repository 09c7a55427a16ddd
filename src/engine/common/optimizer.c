/* SPDX-License-Identifier: Apache-2.0 */
/* The table of optimizers, and the numbers of an update that do not depend on the parameter. t is the update, counted
 * from 1. */
#include "cnnsweep/optimizer.h"

#include <math.h>
#include <stddef.h>

/* 1 - beta^t, by which the moments of Adam are divided, because they begin at 0. */
static double bias(double beta, int64_t t) {
    return 1 - pow(beta, (double)t);
}

static void rates_sgd(const cs_optimizer *o, int64_t t, double *r) {
    r[CS_RATE_MOMENTUM] = o->momentum;
    if (o->dialect == CS_TRAIN_DIALECT_TORCH) {
        r[CS_RATE_PUSH] = t == 1 ? 1 : 1 - o->dampening; /* the velocity begins with the first gradient */
        r[CS_RATE_MOMENT] = o->nesterov ? -o->lr * o->momentum : -o->lr;
    } else {
        r[CS_RATE_PUSH] = -o->lr;
        r[CS_RATE_MOMENT] = o->nesterov ? o->momentum : 1;
    }
    r[CS_RATE_GRADIENT] = o->nesterov || o->momentum == 0 ? -o->lr : 0;
}

static void rates_moments(const cs_optimizer *o, double *r) {
    r[CS_RATE_MEAN] = 1 - o->beta_1;
    r[CS_RATE_SQUARE] = 1 - o->beta_2;
}

/* Keras adds epsilon to the root of the second moment, torch to the root without its bias. */
static void rates_adam(const cs_optimizer *o, int64_t t, double *r) {
    double root = sqrt(bias(o->beta_2, t));
    rates_moments(o, r);
    r[CS_RATE_MOMENT] = -o->lr * root / bias(o->beta_1, t);
    r[CS_RATE_EPSILON] = o->dialect == CS_TRAIN_DIALECT_TORCH ? o->epsilon * root : o->epsilon;
}

/* You et al. 2020, arXiv:1904.00962: Adam's change without the bias, scaled to the norm of the tensor. */
static void rates_lamb(const cs_optimizer *o, int64_t t, double *r) {
    rates_adam(o, t, r);
    r[CS_RATE_EPSILON] = o->epsilon * sqrt(bias(o->beta_2, t));
}

/* Dozat 2016: the momentum u_t = beta_1 * (1 - 0.96^(t*psi) / 2) grows with t; the product of all u_t takes the place
 * of beta_1^t. Keras has psi = 1, torch has 0.004. */
static void rates_nadam(const cs_optimizer *o, int64_t t, double *r) {
    const double negligible = 1e-20, factor = pow(0.96, o->dialect == CS_TRAIN_DIALECT_TORCH ? 0.004 : 1);
    double product = 1, power = 1, now = 0;
    for (int64_t k = 1; k <= t && product > negligible; k++) {
        power *= factor;
        product *= o->beta_1 * (1 - 0.5 * power);
    }
    power = pow(factor, (double)t);
    now = o->beta_1 * (1 - 0.5 * power);
    double next = o->beta_1 * (1 - 0.5 * power * factor);
    rates_moments(o, r);
    r[CS_RATE_MOMENT] = -o->lr * next / (1 - product * next);
    r[CS_RATE_GRADIENT] = -o->lr * (1 - now) / (1 - product);
    r[CS_RATE_ROOT] = 1 / sqrt(bias(o->beta_2, t));
    r[CS_RATE_EPSILON] = o->epsilon;
}

/* Liu et al. 2020, arXiv:1908.03265: the second moment is used once enough gradients have been seen to know it. */
static void rates_radam(const cs_optimizer *o, int64_t t, double *r) {
    double limit = 2 / (1 - o->beta_2) - 1;
    double seen = limit - 2 * (double)t * pow(o->beta_2, (double)t) / bias(o->beta_2, t);
    rates_moments(o, r);
    r[CS_RATE_MOMENT] = -o->lr / bias(o->beta_1, t);
    r[CS_RATE_EPSILON] = 1;
    if (seen > 5) {
        double rectified = (seen - 4) * (seen - 2) * limit / ((limit - 4) * (limit - 2) * seen);
        r[CS_RATE_MOMENT] *= sqrt(rectified * bias(o->beta_2, t));
        r[CS_RATE_ROOT] = 1;
        r[CS_RATE_EPSILON] = o->epsilon;
    }
}

static void rates_adamax(const cs_optimizer *o, int64_t t, double *r) {
    rates_moments(o, r);
    r[CS_RATE_MOMENT] = -o->lr / bias(o->beta_1, t);
    r[o->dialect == CS_TRAIN_DIALECT_TORCH ? CS_RATE_EPSILON_INSIDE : CS_RATE_EPSILON] = o->epsilon;
}

static void rates_epsilon(const cs_optimizer *o, double *r) {
    r[o->dialect == CS_TRAIN_DIALECT_TORCH ? CS_RATE_EPSILON : CS_RATE_EPSILON_INSIDE] = o->epsilon;
}

/* As with SGD, Keras has the learning rate inside the velocity. */
static void rates_rmsprop(const cs_optimizer *o, int64_t t, double *r) {
    bool torch = o->dialect == CS_TRAIN_DIALECT_TORCH;
    (void)t;
    rates_epsilon(o, r);
    r[CS_RATE_SQUARE] = 1 - o->rho;
    r[CS_RATE_MOMENTUM] = o->momentum;
    r[CS_RATE_PUSH] = torch ? 1 : o->lr;
    r[CS_RATE_MOMENT] = torch ? -o->lr : -1;
}

static void rates_adagrad(const cs_optimizer *o, int64_t t, double *r) {
    rates_epsilon(o, r);
    r[CS_RATE_SQUARE] = t == 1 ? o->initial_accumulator : 0;
    r[CS_RATE_GRADIENT] = -o->lr;
}

static void rates_adadelta(const cs_optimizer *o, int64_t t, double *r) {
    (void)t;
    r[CS_RATE_EPSILON] = o->epsilon;
    r[CS_RATE_SQUARE] = 1 - o->rho;
    r[CS_RATE_GRADIENT] = -o->lr;
}

/* Chen et al. 2023, arXiv:2302.06675. */
static void rates_lion(const cs_optimizer *o, int64_t t, double *r) {
    (void)t;
    rates_moments(o, r);
    r[CS_RATE_MOMENT] = -o->lr;
}

typedef struct optimizer_defaults {
    double lr, beta_2, rho, epsilon, weight_decay, initial_accumulator;
} optimizer_defaults;

typedef struct optimizer_row {
    const char *name;
    unsigned uses;
    int (*rule)(const cs_optimizer *o);
    void (*rates)(const cs_optimizer *o, int64_t t, double *r);
    optimizer_defaults keras, torch;
} optimizer_row;

#define RULE_OF(kind, name, uses, rule, rates, keras, torch)                                                           \
    static int rule_of_##kind(const cs_optimizer *o) {                                                                 \
        (void)o;                                                                                                       \
        return rule;                                                                                                   \
    }
CS_OPTIMIZERS(RULE_OF)

#define IN_BRACES(...)                                                                                                 \
    { __VA_ARGS__ }
#define ROW(kind, name, uses, rule, rates, keras, torch)                                                               \
    [CS_OPTIMIZER_##kind] = {name, uses, rule_of_##kind, rates_##rates, IN_BRACES keras, IN_BRACES torch},
static const optimizer_row rows[CS_OPTIMIZER_COUNT] = {CS_OPTIMIZERS(ROW)};

typedef struct rule_row {
    int states;
    bool trusts;
} rule_row;
#define RULE(rule, step, states, trusts) [CS_RULE_##rule] = {states, trusts},
static const rule_row rules[CS_RULE_COUNT] = {CS_OPTIMIZER_RULES(RULE)};

const char *cs_train_dialect_name(int dialect) {
    static const char *const names[] = {
        [CS_TRAIN_DIALECT_AUTO] = "auto", [CS_TRAIN_DIALECT_KERAS] = "keras", [CS_TRAIN_DIALECT_TORCH] = "torch", NULL};
    return names[dialect];
}

const char *cs_decay_kind_name(int kind) {
    static const char *const names[] = {
        [CS_DECAY_AUTO] = "auto", [CS_DECAY_COUPLED] = "coupled", [CS_DECAY_DECOUPLED] = "decoupled", NULL};
    return names[kind];
}

const char *cs_optimizer_name(int kind) {
    return kind < CS_OPTIMIZER_COUNT ? rows[kind].name : NULL;
}

unsigned cs_optimizer_uses(cs_optimizer_kind kind) {
    return rows[kind].uses;
}

static void resolve(double *value, double fallback) {
    if (isnan(*value))
        *value = fallback;
}

/* A setting that the optimizer does not use gets the value of adam in Keras, which the key of a trial does not have. */
void cs_optimizer_resolve(cs_optimizer *o) {
    const optimizer_defaults unused = rows[CS_OPTIMIZER_ADAM].keras;
    const optimizer_row *row = &rows[o->kind];
    bool torch = o->dialect == CS_TRAIN_DIALECT_TORCH;
    bool apart = o->kind == CS_OPTIMIZER_ADAMW || o->kind == CS_OPTIMIZER_LION || o->kind == CS_OPTIMIZER_LAMB;
    const optimizer_defaults *defaults = torch ? &row->torch : &row->keras;
    resolve(&o->lr, defaults->lr);
    resolve(&o->beta_2, row->uses & CS_USES_BETAS ? defaults->beta_2 : unused.beta_2);
    resolve(&o->rho, defaults->rho);
    resolve(&o->epsilon, row->uses & CS_USES_EPSILON ? defaults->epsilon : unused.epsilon);
    resolve(&o->weight_decay, defaults->weight_decay);
    resolve(&o->initial_accumulator, defaults->initial_accumulator);
    if (o->decay == CS_DECAY_AUTO)
        o->decay = torch && !apart ? CS_DECAY_COUPLED : CS_DECAY_DECOUPLED;
}

cs_optimizer_rule cs_optimizer_rule_of(const cs_optimizer *optimizer) {
    return (cs_optimizer_rule)rows[optimizer->kind].rule(optimizer);
}

int cs_optimizer_states(const cs_optimizer *optimizer) {
    return rules[cs_optimizer_rule_of(optimizer)].states + (optimizer->accumulate > 1);
}

bool cs_rule_trusts(cs_optimizer_rule rule) {
    return rules[rule].trusts;
}

int64_t cs_optimizer_update(const cs_optimizer *optimizer, int64_t step) {
    int batches = optimizer->accumulate > 1 ? optimizer->accumulate : 1;
    return step % batches == 0 ? step / batches : 0;
}

void cs_optimizer_rates(const cs_optimizer *o, int64_t update, bool decays, double rates[CS_OPTIMIZER_RATES]) {
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        rates[i] = 0;
    rows[o->kind].rates(o, update, rates);
    double decay = decays ? o->weight_decay : 0;
    rates[CS_RATE_KEEP] = o->decay == CS_DECAY_COUPLED ? 1 : 1 - o->lr * decay;
    rates[CS_RATE_DECAY] = o->decay == CS_DECAY_COUPLED ? decay : 0;
    rates[CS_RATE_LIMIT] = o->clipvalue > 0 ? o->clipvalue : INFINITY;
}

/* Keras averages after every batch, also where it only accumulates, and starts with the weights after the first update.
 */
double cs_optimizer_ema(const cs_optimizer *o, int64_t step) {
    int batches = o->accumulate > 1 ? o->accumulate : 1;
    if (o->dialect == CS_TRAIN_DIALECT_TORCH)
        return step % batches == 0 ? o->ema : 1;
    return (step - 1) / batches == 0 ? 0 : o->ema;
}
