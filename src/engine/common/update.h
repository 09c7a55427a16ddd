/* SPDX-License-Identifier: Apache-2.0 */
/* The update of a program's parameters as a sequence of passes over its arrays, which is the same for all engines
 * (optimizer.h says what each does). An engine has a function for each pass. */
#ifndef CNNSWEEP_ENGINE_COMMON_UPDATE_H
#define CNNSWEEP_ENGINE_COMMON_UPDATE_H

#include "engine_impl.h"

/* Neighbouring parameters that are updated alike: floats [offset, offset+count) of the arrays. */
typedef struct cs_update_span {
    size_t offset, count;
    bool decays;
    double lr_factor; /* of the learning rate */
} cs_update_span;

/* All trained parameters, in the order of the arrays. */
typedef struct cs_update_plan {
    cs_update_span *spans; /* [n] */
    int n;
    bool by_tensor; /* each tensor is a span of its own, because its norm counts */
} cs_update_plan;

typedef struct cs_update_clip {
    double limit, epsilon; /* a norm above the limit is scaled by limit / (norm + epsilon) */
    bool global;           /* the norm of all parameters together; else that of each span */
} cs_update_clip;

/* `gradient` is the array that has the gradients: CS_ARRAY_GRADIENT, or the state in which they are accumulated. */
typedef struct cs_update_passes {
    /* sum = (fresh ? 0 : sum) + factor * gradient */
    void (*accumulate)(cs_program *program, cs_param_array sum, double factor, bool fresh);
    void (*clip)(cs_program *program, cs_param_array gradient, const cs_update_clip *clip);
    /* Applies cs_step_gradient and the rule to a span. If the rule trusts, the change is not added to the values but
     * written to the gradient, and the values are only multiplied by CS_RATE_KEEP. */
    void (*step)(cs_program *program, const cs_update_span *span, cs_param_array gradient, cs_optimizer_rule rule,
                 const double rates[CS_OPTIMIZER_RATES]);
    /* value += ratio * change (in `gradient`), for each span; the ratio is lr * lr_factor * |value| / |change|, or 1
     * where a norm is 0. */
    void (*trust)(cs_program *program, cs_param_array gradient, double lr);
    /* Multiplies the weights of each unit that has a largest norm (cs_param_max_norm) by cs_max_norm_factor. */
    void (*constrain)(cs_program *program);
    /* average = momentum*average + (1-momentum)*value; for the statistics of batch norms with `statistics` as momentum.
     */
    void (*average)(cs_program *program, double momentum, double statistics);
} cs_update_passes;

/* The factor on a gradient whose squared norm is `square_sum`. It is NaN if the norm is not finite. */
double cs_clip_factor(const cs_update_clip *clip, double square_sum);
/* The ratio by which a change is multiplied, from the squared norms of a tensor and of its change. */
double cs_trust_ratio(double lr, double value_square_sum, double change_square_sum);

/* Keras' MaxNorm: min(norm, limit) / (norm + 1e-7), which shrinks also a norm below the limit by a very little. */
double cs_max_norm_factor(double limit, double square_sum);

/* Makes an empty plan with memory for `most` tensors; the caller frees `spans`. `optimizer` may be NULL. */
CS_MUST_CHECK cs_status cs_update_plan_open(cs_update_plan *plan, const cs_optimizer *optimizer, int most);
/* Adds a tensor, a span of its own, that follows those added before; it joins the span before it if it can. A plan
 * without an optimizer stays empty. */
void cs_update_plan_add(cs_update_plan *plan, const cs_update_span *tensor);
/* Does this parameter decay? `optimizer` may be NULL. */
bool cs_update_decays(const cs_optimizer *optimizer, const cs_param *param);
/* Makes the update that follows batch `step` (counted from 1). The plan was made for the same optimizer but for its
 * rates. */
void cs_update_run(cs_program *program, const cs_update_plan *plan, const cs_update_passes *passes,
                   const cs_optimizer *optimizer, int64_t step);

#endif
