/* SPDX-License-Identifier: Apache-2.0 */
/* Update rules, with Keras' names, defaults and formulas (keras.optimizers.SGD, .Adam). The engines apply them. */
#ifndef CNNSWEEP_OPTIMIZER_H
#define CNNSWEEP_OPTIMIZER_H

#include <stdbool.h>

typedef enum cs_optimizer_kind { CS_OPTIMIZER_SGD, CS_OPTIMIZER_ADAM } cs_optimizer_kind;

/* SGD:  v = momentum*v - lr*g;  w += nesterov ? momentum*v - lr*g : v   (momentum 0: w -= lr*g)
 * Adam: m += (g-m)*(1-beta_1); v += (g*g-v)*(1-beta_2);
 *       w -= lr*sqrt(1-beta_2^t)/(1-beta_1^t) * m/(sqrt(v)+epsilon),  t = step, from 1
 * Weight decay is decoupled as in Keras: w -= w*weight_decay*lr before the update. */
typedef struct cs_optimizer {
    cs_optimizer_kind kind;
    float lr;
    float momentum;
    bool nesterov;
    float beta_1, beta_2, epsilon;
    float weight_decay;
} cs_optimizer;

#endif
