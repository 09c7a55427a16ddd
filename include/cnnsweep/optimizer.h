/* SPDX-License-Identifier: Apache-2.0 */
/* Update rules with the names, defaults and formulas of Keras (keras.optimizers.SGD, .Adam). The engines apply them.
 *
 * SGD:  v = momentum*v - lr*g;  w += nesterov ? momentum*v - lr*g : v   (momentum 0: w -= lr*g)
 * Adam: m += (g-m)*(1-beta_1); v += (g*g-v)*(1-beta_2);
 *       w -= lr*sqrt(1-beta_2^t)/(1-beta_1^t) * m/(sqrt(v)+epsilon),  t = step, from 1
 * Weight decay is decoupled as in Keras: w -= w*weight_decay*lr before the update.
 *
 * To add a rule, add a row below and its step function in src/engine/common/optimizer_step.h, which every engine
 * uses. */
#ifndef CNNSWEEP_OPTIMIZER_H
#define CNNSWEEP_OPTIMIZER_H

#include <stdbool.h>
#include <stdint.h>

/* One row for each rule: CS_OPTIMIZER_<kind>; the name in job files; Keras' default learning rate; the number of states
 * for each parameter, without momentum and at most; its functions cs_rates_<rates> and cs_step_<step> in
 * optimizer_step.h. */
#define CS_OPTIMIZERS(ROW)                                                                                             \
    ROW(SGD, "sgd", 1e-2F, 0, 1, constant, sgd)                                                                        \
    ROW(ADAM, "adam", 1e-3F, 2, 2, adam, adam)

#define CS_OPTIMIZER_KIND_(kind, name_, lr_, plain_states, most_states, rates_, step_) CS_OPTIMIZER_##kind,
typedef enum cs_optimizer_kind { CS_OPTIMIZERS(CS_OPTIMIZER_KIND_) CS_OPTIMIZER_COUNT } cs_optimizer_kind;

/* The size of this union is the largest number of states in any row. */
#define CS_OPTIMIZER_STATES_(kind, name_, lr_, plain_states, most_states, rates_, step_) char kind[most_states];
typedef union cs_optimizer_states_of_any {
    CS_OPTIMIZERS(CS_OPTIMIZER_STATES_)
} cs_optimizer_states_of_any;

enum {
    CS_OPTIMIZER_STATES = sizeof(cs_optimizer_states_of_any), /* most states that a program keeps for each parameter */
    CS_OPTIMIZER_RATES = 2 /* most numbers that a rule derives from the learning rate in each step */
};

typedef struct cs_optimizer {
    cs_optimizer_kind kind;
    float lr;
    float momentum;
    bool nesterov;
    float beta_1, beta_2, epsilon;
    float weight_decay;
} cs_optimizer;

const char *cs_optimizer_name(int kind); /* "sgd", ...; NULL if there is no such kind */
float cs_optimizer_default_lr(cs_optimizer_kind kind);
/* How many values the rule keeps for each parameter from step to step. */
int cs_optimizer_states(const cs_optimizer *optimizer);
/* Computes the factors that the rule derives from the learning rate in this step (counted from 1). Unused rates are
 * 0. */
void cs_optimizer_rates(const cs_optimizer *optimizer, int64_t step, double rates[CS_OPTIMIZER_RATES]);
/* The same rates rounded to float, for engines that update in float. */
void cs_optimizer_rates_float(const cs_optimizer *optimizer, int64_t step, float rates[CS_OPTIMIZER_RATES]);

#endif
