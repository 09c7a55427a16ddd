/* SPDX-License-Identifier: Apache-2.0 */
/* The update rules, written once for all engines. A file defines these macros and then includes this file:
 *
 *     CS_REAL        the type in which the engine computes
 *     CS_SQRT(x)     the square root of that type
 *     CS_STEP        the specifiers of a step function ("static inline", and __device__ on a GPU)
 *     CS_STEP_STATES the type of `state`: state[k][i] is the k-th state of parameter i
 *
 * A step function updates the states of one parameter from its gradient g and returns the amount to add to the
 * parameter. The engine has applied the weight decay before. A rates function is called once in each step and computes
 * in double. */
#include "cnnsweep/optimizer.h"

#include <math.h>
#include <stddef.h>

static inline void cs_rates_constant(const cs_optimizer *o, int64_t step, double *rates) {
    (void)step;
    rates[0] = (double)o->lr;
}

static inline void cs_rates_adam(const cs_optimizer *o, int64_t step, double *rates) {
    rates[0] =
        (double)o->lr * sqrt(1 - pow((double)o->beta_2, (double)step)) / (1 - pow((double)o->beta_1, (double)step));
}

CS_STEP CS_REAL cs_step_sgd(const cs_optimizer *o, const CS_REAL *rates, CS_REAL g, CS_STEP_STATES state, size_t i) {
    CS_REAL momentum = (CS_REAL)o->momentum, push = -rates[0] * g, velocity = momentum * state[0][i] + push;
    state[0][i] = velocity;
    return o->nesterov ? momentum * velocity + push : velocity;
}

CS_STEP CS_REAL cs_step_adam(const cs_optimizer *o, const CS_REAL *rates, CS_REAL g, CS_STEP_STATES state, size_t i) {
    state[0][i] += (g - state[0][i]) * (1 - (CS_REAL)o->beta_1);
    state[1][i] += (g * g - state[1][i]) * (1 - (CS_REAL)o->beta_2);
    return -(rates[0] * state[0][i] / (CS_SQRT(state[1][i]) + (CS_REAL)o->epsilon));
}
