/* SPDX-License-Identifier: Apache-2.0 */
/* Optimizers, with the names, defaults and formulas of Keras 3 (keras.optimizers) and of PyTorch (torch.optim), which
 * differ. cs_optimizer.dialect says which of the two is meant. The engines apply them. The formulas are in
 * src/engine/common/optimizer_step.h, with numbers from optimizer.c.
 *
 * What surrounds the formula, in this order:
 *
 * 1. The gradients of `accumulate` batches are averaged, and one update is made with the mean.
 *
 * 2. Gradients are clipped. clipnorm c: a tensor whose norm is above c is scaled to norm c. global_clipnorm: the same
 *    with the norm of all trained parameters together. clipvalue c: every value is limited to -c..c. Torch adds 1e-6 to
 *    a norm before it divides by it.
 *
 * 3. Weight decay. Decoupled: w -= w*weight_decay*lr, as in Keras and in torch's AdamW. Coupled: weight_decay*w is
 *    added to the gradient, as in torch's other optimizers.
 *
 * 4. The formula.
 *
 * 5. With `ema` a moving average of the weights: average = ema*average + (1-ema)*w. In Keras it starts as a copy of the
 *    weights after the first update, and has the statistics of batch norms as they are. In torch (as timm's ModelEma)
 *    it starts as a copy of the initial weights, and the statistics are averaged, too.
 *
 * To add an optimizer, add a row to CS_OPTIMIZERS. If no rule has its formula, add a row to CS_OPTIMIZER_RULES and a
 * function cs_step_<step> to optimizer_step.h. If no other optimizer has its rates, add a function rates_<rates> to
 * optimizer.c. */
#ifndef CNNSWEEP_OPTIMIZER_H
#define CNNSWEEP_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

/* Whose formulas and defaults training follows. AUTO is resolved to one of the others when trials are made. */
typedef enum cs_train_dialect {
    CS_TRAIN_DIALECT_AUTO,
    CS_TRAIN_DIALECT_KERAS,
    CS_TRAIN_DIALECT_TORCH
} cs_train_dialect;
const char *cs_train_dialect_name(int dialect); /* "auto", "keras", "torch"; NULL after the last */

/* The settings that only some optimizers use. */
enum {
    CS_USES_MOMENTUM = 1,
    CS_USES_NESTEROV = 2, /* and dampening */
    CS_USES_BETAS = 4,
    CS_USES_RHO = 8,
    CS_USES_EPSILON = 16,
    CS_USES_AMSGRAD = 32,
    CS_USES_CENTERED = 64,
    CS_USES_ACCUMULATOR = 128,
    CS_USES_ADAM = CS_USES_BETAS | CS_USES_EPSILON
};

/* One row for each optimizer: CS_OPTIMIZER_<kind>; the name in job files; the settings it uses; its rule for the
 * cs_optimizer `o`; its function rates_<rates>; and the defaults of Keras and of torch for lr, beta_2, rho, epsilon,
 * weight_decay and initial_accumulator. RAdam is torch's in both dialects; Lion and LAMB are Keras'. */
#define CS_OPTIMIZERS(ROW)                                                                                             \
    ROW(SGD, "sgd", CS_USES_MOMENTUM | CS_USES_NESTEROV, o->momentum > 0 ? CS_RULE_SGD_MOMENTUM : CS_RULE_SGD, sgd,    \
        (1e-2, 0, 0, 0, 0, 0), (1e-3, 0, 0, 0, 0, 0))                                                                  \
    ROW(ADAM, "adam", CS_USES_ADAM | CS_USES_AMSGRAD, o->amsgrad ? CS_RULE_AMSGRAD : CS_RULE_ADAM, adam,               \
        (1e-3, 0.999, 0, 1e-7, 0, 0), (1e-3, 0.999, 0, 1e-8, 0, 0))                                                    \
    ROW(ADAMW, "adamw", CS_USES_ADAM | CS_USES_AMSGRAD, o->amsgrad ? CS_RULE_AMSGRAD : CS_RULE_ADAM, adam,             \
        (1e-3, 0.999, 0, 1e-7, 4e-3, 0), (1e-3, 0.999, 0, 1e-8, 1e-2, 0))                                              \
    ROW(NADAM, "nadam", CS_USES_ADAM, CS_RULE_NADAM, nadam, (1e-3, 0.999, 0, 1e-7, 0, 0),                              \
        (2e-3, 0.999, 0, 1e-8, 0, 0))                                                                                  \
    ROW(RADAM, "radam", CS_USES_ADAM, CS_RULE_RADAM, radam, (1e-3, 0.999, 0, 1e-7, 0, 0),                              \
        (1e-3, 0.999, 0, 1e-8, 0, 0))                                                                                  \
    ROW(ADAMAX, "adamax", CS_USES_ADAM, CS_RULE_ADAMAX, adamax, (1e-3, 0.999, 0, 1e-7, 0, 0),                          \
        (2e-3, 0.999, 0, 1e-8, 0, 0))                                                                                  \
    ROW(RMSPROP, "rmsprop", CS_USES_MOMENTUM | CS_USES_RHO | CS_USES_EPSILON | CS_USES_CENTERED,                       \
        CS_RULE_RMSPROP + (o->momentum > 0 ? 1 : 0) + (o->centered ? 2 : 0), rmsprop, (1e-3, 0, 0.9, 1e-7, 0, 0),      \
        (1e-2, 0, 0.99, 1e-8, 0, 0))                                                                                   \
    ROW(ADAGRAD, "adagrad", CS_USES_EPSILON | CS_USES_ACCUMULATOR, CS_RULE_ADAGRAD, adagrad,                           \
        (1e-3, 0, 0, 1e-7, 0, 0.1), (1e-2, 0, 0, 1e-10, 0, 0))                                                         \
    ROW(ADADELTA, "adadelta", CS_USES_RHO | CS_USES_EPSILON, CS_RULE_ADADELTA, adadelta, (1e-3, 0, 0.95, 1e-7, 0, 0),  \
        (1, 0, 0.9, 1e-6, 0, 0))                                                                                       \
    ROW(LION, "lion", CS_USES_BETAS, CS_RULE_LION, lion, (1e-3, 0.99, 0, 0, 0, 0), (1e-3, 0.99, 0, 0, 0, 0))           \
    ROW(LAMB, "lamb", CS_USES_ADAM, CS_RULE_LAMB, lamb, (1e-3, 0.999, 0, 1e-7, 0, 0), (1e-3, 0.999, 0, 1e-7, 0, 0))

#define CS_OPTIMIZER_KIND_(kind, name, uses, rule, rates, keras, torch) CS_OPTIMIZER_##kind,
typedef enum cs_optimizer_kind { CS_OPTIMIZERS(CS_OPTIMIZER_KIND_) CS_OPTIMIZER_COUNT } cs_optimizer_kind;

/* One row for each rule, a formula without conditions: CS_RULE_<rule>; its function cs_step_<step>; how many values it
 * keeps for each parameter from step to step, its states; and whether the change of a tensor is scaled by the ratio of
 * the norms of tensor and change (LAMB's trust ratio). */
#define CS_OPTIMIZER_RULES(ROW)                                                                                        \
    ROW(SGD, sgd, 0, false)                                                                                            \
    ROW(SGD_MOMENTUM, sgd_momentum, 1, false)                                                                          \
    ROW(ADAM, adam, 2, false)                                                                                          \
    ROW(AMSGRAD, amsgrad, 3, false)                                                                                    \
    ROW(NADAM, nadam, 2, false)                                                                                        \
    ROW(RADAM, radam, 2, false)                                                                                        \
    ROW(ADAMAX, adamax, 2, false)                                                                                      \
    ROW(RMSPROP, rmsprop, 1, false)                                                                                    \
    ROW(RMSPROP_MOMENTUM, rmsprop_momentum, 2, false)                                                                  \
    ROW(RMSPROP_CENTERED, rmsprop_centered, 2, false)                                                                  \
    ROW(RMSPROP_CENTERED_MOMENTUM, rmsprop_centered_momentum, 3, false)                                                \
    ROW(ADAGRAD, adagrad, 1, false)                                                                                    \
    ROW(ADADELTA, adadelta, 2, false)                                                                                  \
    ROW(LION, lion, 1, false)                                                                                          \
    ROW(LAMB, adam, 2, true)

#define CS_OPTIMIZER_RULE_(rule, step, states, trust) CS_RULE_##rule,
typedef enum cs_optimizer_rule { CS_OPTIMIZER_RULES(CS_OPTIMIZER_RULE_) CS_RULE_COUNT } cs_optimizer_rule;

/* The size of this union is the largest number of states in any row. */
#define CS_OPTIMIZER_STATES_(rule, step, states, trust) char rule[(states) + 1];
typedef union cs_optimizer_states_of_any {
    CS_OPTIMIZER_RULES(CS_OPTIMIZER_STATES_)
} cs_optimizer_states_of_any;

enum {
    CS_RULE_STATES = sizeof(cs_optimizer_states_of_any) - 1, /* most states of a rule */
    CS_OPTIMIZER_STATES = CS_RULE_STATES + 1                 /* one more if gradients are accumulated */
};

/* The numbers that an update needs, which are computed once for each step. A step function reads those that its formula
 * has; the engine applies KEEP, DECAY and LIMIT. */
typedef enum cs_rate {
    CS_RATE_GRADIENT,       /* factor of the gradient in the change of the parameter */
    CS_RATE_MOMENT,         /* factor of the first moment, or of the velocity, in the change */
    CS_RATE_MOMENTUM,       /* factor of the velocity of the last step in the velocity */
    CS_RATE_PUSH,           /* factor of the gradient in the velocity */
    CS_RATE_MEAN,           /* 1 - beta_1 */
    CS_RATE_SQUARE,         /* 1 - beta_2 or 1 - rho; Adagrad: the initial value, in the first step */
    CS_RATE_ROOT,           /* factor of the root of the second moment */
    CS_RATE_EPSILON,        /* added to that root */
    CS_RATE_EPSILON_INSIDE, /* added to the second moment before the root is taken */
    CS_RATE_KEEP,           /* factor of the parameter before the change: decoupled weight decay */
    CS_RATE_DECAY,          /* factor of the parameter in the gradient: coupled weight decay */
    CS_RATE_LIMIT,          /* clipvalue, or infinity */
    CS_OPTIMIZER_RATES
} cs_rate;

/* AUTO is resolved by the dialect: Keras' is decoupled; torch's is coupled except for AdamW, Lion and LAMB. */
typedef enum cs_decay_kind { CS_DECAY_AUTO, CS_DECAY_COUPLED, CS_DECAY_DECOUPLED } cs_decay_kind;
const char *cs_decay_kind_name(int kind); /* NULL after the last */

typedef struct cs_optimizer {
    cs_optimizer_kind kind;
    cs_train_dialect dialect;
    double lr;
    double momentum, dampening;
    bool nesterov;
    double beta_1, beta_2, rho, epsilon, initial_accumulator;
    bool amsgrad, centered;
    double weight_decay;
    cs_decay_kind decay;
    bool decay_kernels_only;                     /* biases and the parameters of batch norms do not decay */
    double clipnorm, global_clipnorm, clipvalue; /* 0: not clipped */
    int accumulate;                              /* batches for each update; 0 is 1 */
    double ema;                                  /* momentum of the moving average of the weights; 0: there is none */
} cs_optimizer;

const char *cs_optimizer_name(int kind); /* "sgd", ...; NULL if there is no such kind */
/* Sets all that is NaN or AUTO, except the dialect, to the defaults of the dialect. */
void cs_optimizer_resolve(cs_optimizer *optimizer);
unsigned cs_optimizer_uses(cs_optimizer_kind kind); /* CS_USES_* */

cs_optimizer_rule cs_optimizer_rule_of(const cs_optimizer *optimizer);
/* How many values a program keeps for each parameter from step to step: the states of the rule; then, if gradients are
 * accumulated, their sum. */
int cs_optimizer_states(const cs_optimizer *optimizer);
/* Does the rule scale the change of a tensor by a ratio of norms? */
bool cs_rule_trusts(cs_optimizer_rule rule);
/* Is there an update after batch `step` (counted from 1), and which one is it (counted from 1)? 0: there is none. */
int64_t cs_optimizer_update(const cs_optimizer *optimizer, int64_t step);
/* Computes the rates of an update (counted from 1) for parameters that decay or do not. Unused rates are 0. */
void cs_optimizer_rates(const cs_optimizer *optimizer, int64_t update, bool decays, double rates[CS_OPTIMIZER_RATES]);
/* The momentum of the average of the weights after batch `step`. */
double cs_optimizer_ema(const cs_optimizer *optimizer, int64_t step);

#endif
