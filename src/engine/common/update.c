/* SPDX-License-Identifier: Apache-2.0 */
#include "update.h"

#include "cnnsweep/memory.h"

#include <math.h>

double cs_clip_factor(const cs_update_clip *clip, double square_sum) {
    double norm = sqrt(square_sum);
    return norm <= clip->limit - clip->epsilon ? 1 : clip->limit / (norm + clip->epsilon);
}

double cs_trust_ratio(double lr, double value_square_sum, double change_square_sum) {
    bool known = value_square_sum > 0 && change_square_sum > 0;
    return known ? lr * sqrt(value_square_sum) / sqrt(change_square_sum) : 1;
}

double cs_max_norm_factor(double limit, double square_sum) {
    double norm = sqrt(square_sum);
    return (norm > limit ? limit : norm) / (norm + 1e-7);
}

cs_status cs_update_plan_open(cs_update_plan *plan, const cs_optimizer *optimizer, int most) {
    *plan = (cs_update_plan){0};
    if (!optimizer)
        return CS_OK;
    plan->by_tensor = optimizer->clipnorm > 0 || cs_rule_trusts(cs_optimizer_rule_of(optimizer));
    return cs_alloc((size_t)most, sizeof *plan->spans, "parameters", &plan->spans);
}

static bool are_updated_alike(const cs_update_span *a, const cs_update_span *b) {
    return a->decays == b->decays && a->lr_factor == b->lr_factor;
}

void cs_update_plan_add(cs_update_plan *plan, const cs_update_span *tensor) {
    if (!plan->spans)
        return;
    cs_update_span *last = plan->n > 0 ? &plan->spans[plan->n - 1] : NULL;
    if (last && !plan->by_tensor && are_updated_alike(last, tensor) && last->offset + last->count == tensor->offset)
        last->count += tensor->count;
    else
        plan->spans[plan->n++] = *tensor;
}

bool cs_update_decays(const cs_optimizer *optimizer, const cs_param *param) {
    return !optimizer || !optimizer->decay_kernels_only || param->role == CS_PARAM_KERNEL ||
           param->role == CS_PARAM_POINTWISE_KERNEL;
}

/* Returns the array that has the gradients of the update. */
static cs_param_array accumulate(cs_program *program, const cs_update_passes *passes, const cs_optimizer *optimizer,
                                 int64_t step) {
    int n = optimizer->accumulate;
    if (n <= 1)
        return CS_ARRAY_GRADIENT;
    cs_param_array sum = (cs_param_array)(CS_ARRAY_STATE + cs_optimizer_states(optimizer) - 1);
    passes->accumulate(program, sum, 1.0 / n, (step - 1) % n == 0);
    return sum;
}

static void clip(cs_program *program, const cs_update_passes *passes, const cs_optimizer *optimizer,
                 cs_param_array gradient) {
    cs_update_clip clip = {.limit = optimizer->clipnorm,
                           .epsilon = optimizer->dialect == CS_TRAIN_DIALECT_TORCH ? 1e-6 : 0};
    if (clip.limit == 0) {
        clip.limit = optimizer->global_clipnorm;
        clip.global = true;
    }
    if (clip.limit > 0)
        passes->clip(program, gradient, &clip);
}

/* The rates of parameters with this factor that do not decay, and of those that do. */
static void rates_of(const cs_optimizer *optimizer, double lr_factor, int64_t update,
                     double rates[2][CS_OPTIMIZER_RATES]) {
    cs_optimizer scaled = *optimizer;
    scaled.lr *= lr_factor;
    for (int decays = 0; decays < 2; decays++)
        cs_optimizer_rates(&scaled, update, decays, rates[decays]);
}

static void step_spans(cs_program *program, const cs_update_plan *plan, const cs_update_passes *passes,
                       const cs_optimizer *optimizer, int64_t update, cs_param_array gradient) {
    cs_optimizer_rule rule = cs_optimizer_rule_of(optimizer);
    double rates[2][CS_OPTIMIZER_RATES];
    for (int i = 0; i < plan->n; i++) {
        const cs_update_span *span = &plan->spans[i];
        if (i == 0 || span->lr_factor != span[-1].lr_factor)
            rates_of(optimizer, span->lr_factor, update, rates);
        passes->step(program, span, gradient, rule, rates[span->decays]);
    }
    if (cs_rule_trusts(rule))
        passes->trust(program, gradient, optimizer->lr);
}

void cs_update_run(cs_program *program, const cs_update_plan *plan, const cs_update_passes *passes,
                   const cs_optimizer *optimizer, int64_t step) {
    cs_param_array gradient = accumulate(program, passes, optimizer, step);
    int64_t update = cs_optimizer_update(optimizer, step);
    const bool torch = optimizer->dialect == CS_TRAIN_DIALECT_TORCH;
    if (update > 0) {
        clip(program, passes, optimizer, gradient);
        step_spans(program, plan, passes, optimizer, update, gradient);
    }
    if (update > 0 && torch)
        passes->constrain(program);
    if (optimizer->ema > 0) {
        double momentum = cs_optimizer_ema(optimizer, step);
        passes->average(program, momentum, torch ? momentum : 0);
    }
    if (update > 0 && !torch) /* Keras' optimizers average before they apply constraints */
        passes->constrain(program);
}
