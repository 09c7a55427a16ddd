/* SPDX-License-Identifier: Apache-2.0 */
/* The update rules themselves, written once for all engines: this file is included with
 *
 *     CS_REAL        the type that the engine computes in
 *     CS_SQRT(x)     its square root
 *     CS_STEP        what stands in front of a step function ("static inline", and __device__ on a GPU)
 *     CS_STEP_STATES the type of `state`: state[k][i] is the k-th state of parameter i
 *
 * A step function moves the states of one parameter by its gradient g and returns what is to be added to the parameter.
 * The engine has made the parameter smaller by the weight decay. A rates function is called once a step, in double. */
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
