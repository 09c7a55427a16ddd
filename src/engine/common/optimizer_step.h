/* SPDX-License-Identifier: Apache-2.0 */
/* The formulas of the optimizers, written once for all engines. A file defines these macros and then includes this
 * file:
 *
 *     CS_REAL        the type in which the engine computes
 *     CS_SQRT(x)     the square root of that type
 *     CS_STEP        the specifiers of a step function ("static inline", and __device__ on a GPU)
 *     CS_STEP_STATES the type of `state`: state[k][i] is the k-th state of parameter i
 *     CS_STEP_TYPES  what declares that type, if it is the parameter of a template; else nothing
 *
 * A step function updates the states of one parameter from its gradient g and returns the amount to add to the
 * parameter. It has no conditions; what differs between dialects and settings is in the rates `r`, which optimizer.c
 * computes. */
#include "cnnsweep/optimizer.h"

#include <math.h>
#include <stddef.h>

/* The arguments of all step functions. */
#define CS_STEP_OF(rule)                                                                                               \
    CS_STEP_TYPES CS_STEP CS_REAL cs_step_##rule(const CS_REAL *r, CS_REAL g, CS_STEP_STATES state, size_t i)

CS_STEP_OF(sgd) {
    (void)state;
    (void)i;
    return r[CS_RATE_GRADIENT] * g;
}

/* Keras has the learning rate inside the velocity, torch outside. */
CS_STEP_OF(sgd_momentum) {
    CS_REAL velocity = r[CS_RATE_MOMENTUM] * state[0][i] + r[CS_RATE_PUSH] * g;
    state[0][i] = velocity;
    return r[CS_RATE_MOMENT] * velocity + r[CS_RATE_GRADIENT] * g;
}

/* Updates the moments of Adam: state 0 is the mean of the gradient, state 1 that of its square. */
#define CS_MOMENTS()                                                                                                   \
    CS_REAL m = state[0][i] + (g - state[0][i]) * r[CS_RATE_MEAN];                                                     \
    CS_REAL v = state[1][i] + (g * g - state[1][i]) * r[CS_RATE_SQUARE];                                               \
    state[0][i] = m;                                                                                                   \
    state[1][i] = v

CS_STEP_OF(adam) {
    CS_MOMENTS();
    return r[CS_RATE_MOMENT] * m / (CS_SQRT(v) + r[CS_RATE_EPSILON]);
}

CS_STEP_OF(amsgrad) {
    CS_MOMENTS();
    CS_REAL largest = state[2][i] > v ? state[2][i] : v;
    state[2][i] = largest;
    return r[CS_RATE_MOMENT] * m / (CS_SQRT(largest) + r[CS_RATE_EPSILON]);
}

CS_STEP_OF(nadam) {
    CS_MOMENTS();
    return (r[CS_RATE_MOMENT] * m + r[CS_RATE_GRADIENT] * g) / (r[CS_RATE_ROOT] * CS_SQRT(v) + r[CS_RATE_EPSILON]);
}

/* Where the variance is not yet known, CS_RATE_ROOT is 0 and CS_RATE_EPSILON 1. */
CS_STEP_OF(radam) {
    CS_MOMENTS();
    return r[CS_RATE_MOMENT] * m / (r[CS_RATE_ROOT] * CS_SQRT(v) + r[CS_RATE_EPSILON]);
}

/* State 1 is the largest gradient, which decays. Keras adds epsilon to it, torch to the new gradient. */
CS_STEP_OF(adamax) {
    CS_REAL m = state[0][i] + (g - state[0][i]) * r[CS_RATE_MEAN];
    CS_REAL decayed = state[1][i] * (1 - r[CS_RATE_SQUARE]), size = (g < 0 ? -g : g) + r[CS_RATE_EPSILON_INSIDE];
    CS_REAL largest = decayed > size ? decayed : size;
    state[0][i] = m;
    state[1][i] = largest;
    return r[CS_RATE_MOMENT] * m / (largest + r[CS_RATE_EPSILON]);
}

/* Updates state 0, the mean of the squared gradient. */
#define CS_SQUARE_MEAN()                                                                                               \
    CS_REAL v = state[0][i] + (g * g - state[0][i]) * r[CS_RATE_SQUARE];                                               \
    state[0][i] = v
/* Updates state 1, the mean of the gradient, and subtracts its square from v. */
#define CS_CENTER()                                                                                                    \
    CS_REAL mean = state[1][i] + (g - state[1][i]) * r[CS_RATE_SQUARE];                                                \
    state[1][i] = mean;                                                                                                \
    v -= mean * mean

/* Keras adds epsilon inside the root, torch outside. */
#define CS_NORMALIZED() (g / (CS_SQRT(v + r[CS_RATE_EPSILON_INSIDE]) + r[CS_RATE_EPSILON]))

CS_STEP_OF(rmsprop) {
    CS_SQUARE_MEAN();
    return r[CS_RATE_PUSH] * r[CS_RATE_MOMENT] * CS_NORMALIZED();
}

CS_STEP_OF(rmsprop_momentum) {
    CS_SQUARE_MEAN();
    CS_REAL velocity = r[CS_RATE_MOMENTUM] * state[1][i] + r[CS_RATE_PUSH] * CS_NORMALIZED();
    state[1][i] = velocity;
    return r[CS_RATE_MOMENT] * velocity;
}

CS_STEP_OF(rmsprop_centered) {
    CS_SQUARE_MEAN();
    CS_CENTER();
    return r[CS_RATE_PUSH] * r[CS_RATE_MOMENT] * CS_NORMALIZED();
}

CS_STEP_OF(rmsprop_centered_momentum) {
    CS_SQUARE_MEAN();
    CS_CENTER();
    CS_REAL velocity = r[CS_RATE_MOMENTUM] * state[2][i] + r[CS_RATE_PUSH] * CS_NORMALIZED();
    state[2][i] = velocity;
    return r[CS_RATE_MOMENT] * velocity;
}

CS_STEP_OF(adagrad) {
    CS_REAL v = state[0][i] + r[CS_RATE_SQUARE] + g * g;
    state[0][i] = v;
    return r[CS_RATE_GRADIENT] * CS_NORMALIZED();
}

/* State 1 is the mean of the squared changes, without the learning rate. */
CS_STEP_OF(adadelta) {
    CS_SQUARE_MEAN();
    CS_REAL change = CS_SQRT(state[1][i] + r[CS_RATE_EPSILON]) / CS_SQRT(v + r[CS_RATE_EPSILON]) * g;
    state[1][i] += (change * change - state[1][i]) * r[CS_RATE_SQUARE];
    return r[CS_RATE_GRADIENT] * change;
}

CS_STEP_OF(lion) {
    CS_REAL m = state[0][i], direction = m + (g - m) * r[CS_RATE_MEAN];
    state[0][i] = m + (g - m) * r[CS_RATE_SQUARE];
    return direction > 0 ? r[CS_RATE_MOMENT] : direction < 0 ? -r[CS_RATE_MOMENT] : 0;
}

/* The gradient that a step function gets: limited, and with the coupled weight decay of the parameter w. A gradient
 * that is not a number stays so. */
CS_STEP CS_REAL cs_step_gradient(const CS_REAL *r, CS_REAL g, CS_REAL w) {
    g = g > r[CS_RATE_LIMIT] ? r[CS_RATE_LIMIT] : g;
    g = g < -r[CS_RATE_LIMIT] ? -r[CS_RATE_LIMIT] : g;
    return g + r[CS_RATE_DECAY] * w;
}
