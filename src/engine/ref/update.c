/* SPDX-License-Identifier: Apache-2.0 */
/* The update of the parameters, in double. */
#include "ref.h"

#include <math.h>
#include <string.h>

#define CS_REAL        double
#define CS_SQRT        sqrt
#define CS_STEP        static inline
#define CS_STEP_STATES double *const *
#define CS_STEP_TYPES
#include "common/optimizer_step.h"

static bool is_trained(const cs_ref_program *program, const cs_param *param) {
    const cs_segment *segment = program->head.spec.segment;
    bool inside = param->layer >= segment->begin && param->layer < segment->end;
    return inside && segment->graph->layers[param->layer].trainable && !cs_param_is_statistic(param);
}

cs_status cs_ref_plan_update(cs_ref_program *program) {
    const cs_graph *graph = program->head.spec.segment->graph;
    const cs_optimizer *optimizer = program->head.spec.optimizer;
    CS_TRY(cs_update_plan_open(&program->update, optimizer, graph->n_params));
    for (int p = 0; optimizer && p < graph->n_params; p++) {
        const cs_param *param = &graph->params[p];
        if (is_trained(program, param))
            cs_update_plan_add(&program->update, &(cs_update_span){param->offset - program->first_value, param->count,
                                                                   cs_update_decays(optimizer, param),
                                                                   graph->layers[param->layer].lr_factor});
    }
    return CS_OK;
}

static void accumulate(cs_program *base, cs_param_array sum, double factor, bool fresh) {
    const cs_ref_program *program = (cs_ref_program *)base;
    for (size_t i = 0; i < program->n_values; i++) {
        double before = fresh ? 0 : program->arrays[sum][i];
        program->arrays[sum][i] = before + factor * program->arrays[CS_ARRAY_GRADIENT][i];
    }
}

static double square_sum(const double *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sum;
}

static void clip(cs_program *base, cs_param_array gradient, const cs_update_clip *clip) {
    const cs_ref_program *program = (cs_ref_program *)base;
    double all = 0;
    for (int s = 0; s < program->update.n; s++) {
        const cs_update_span *span = &program->update.spans[s];
        all += square_sum(program->arrays[gradient] + span->offset, span->count);
    }
    for (int s = 0; s < program->update.n; s++) {
        const cs_update_span *span = &program->update.spans[s];
        double *values = program->arrays[gradient] + span->offset;
        double factor = cs_clip_factor(clip, clip->global ? all : square_sum(values, span->count));
        for (size_t i = 0; i < span->count; i++)
            values[i] *= factor;
    }
}

#define STEP(rule_, step_, states_, trusts_)                                                                           \
    case CS_RULE_##rule_:                                                                                              \
        change = cs_step_##step_(rates, change, state, i);                                                             \
        trusts = trusts_;                                                                                              \
        break;

void cs_ref_step(cs_optimizer_rule rule, const double rates[CS_OPTIMIZER_RATES], size_t count, double *value,
                 double *gradient, double *const *state) {
    for (size_t i = 0; i < count; i++) {
        bool trusts = false;
        double change = cs_step_gradient(rates, gradient[i], value[i]);
        switch (rule) {
            CS_OPTIMIZER_RULES(STEP)
        case CS_RULE_COUNT:
            break;
        }
        value[i] *= rates[CS_RATE_KEEP];
        if (trusts)
            gradient[i] = change;
        else
            value[i] += change;
    }
}

static void step_span(cs_program *base, const cs_update_span *span, cs_param_array gradient, cs_optimizer_rule rule,
                      const double rates[CS_OPTIMIZER_RATES]) {
    const cs_ref_program *program = (cs_ref_program *)base;
    double *value = program->arrays[CS_ARRAY_VALUE] + span->offset, *state[CS_RULE_STATES];
    for (int i = 0; i < CS_RULE_STATES; i++) { /* a state that the rule does not have is not used */
        double *array = program->arrays[CS_ARRAY_STATE + i];
        state[i] = array ? array + span->offset : value;
    }
    cs_ref_step(rule, rates, span->count, value, program->arrays[gradient] + span->offset, state);
}

static void trust_spans(cs_program *base, cs_param_array gradient, double lr) {
    const cs_ref_program *program = (cs_ref_program *)base;
    for (int s = 0; s < program->update.n; s++) {
        const cs_update_span *span = &program->update.spans[s];
        double *value = program->arrays[CS_ARRAY_VALUE] + span->offset,
               *change = program->arrays[gradient] + span->offset;
        double ratio =
            cs_trust_ratio(lr * span->lr_factor, square_sum(value, span->count), square_sum(change, span->count));
        for (size_t i = 0; i < span->count; i++)
            value[i] += ratio * change[i];
    }
}

static void limit_norms(double *values, size_t count, const cs_max_norm *norm) {
    const size_t units = (size_t)norm->units;
    for (size_t unit = 0; unit < units; unit++) {
        double sum = 0;
        for (size_t i = unit; i < count; i += units)
            sum += values[i] * values[i];
        const double factor = cs_max_norm_factor(norm->limit, sum);
        for (size_t i = unit; i < count; i += units)
            values[i] *= factor;
    }
}

static void constrain(cs_program *base) {
    const cs_ref_program *program = (cs_ref_program *)base;
    const cs_graph *graph = base->spec.segment->graph;
    for (int p = 0; p < graph->n_params; p++) {
        const cs_param *param = &graph->params[p];
        const cs_max_norm norm = cs_param_max_norm(graph, param);
        if (norm.limit > 0 && is_trained(program, param))
            limit_norms(program->arrays[CS_ARRAY_VALUE] + (param->offset - program->first_value), param->count, &norm);
    }
}

static void average(cs_program *base, double momentum, double statistics) {
    const cs_ref_program *program = (cs_ref_program *)base;
    const cs_graph *graph = base->spec.segment->graph;
    for (int p = 0; p < graph->n_params; p++) {
        const cs_param *param = &graph->params[p];
        if (param->layer < base->spec.segment->begin || param->layer >= base->spec.segment->end)
            continue;
        double keep = is_trained(program, param) ? momentum : statistics;
        for (size_t i = 0, at = param->offset - program->first_value; i < param->count; i++, at++)
            program->arrays[CS_ARRAY_AVERAGE][at] =
                keep * program->arrays[CS_ARRAY_AVERAGE][at] + (1 - keep) * program->arrays[CS_ARRAY_VALUE][at];
    }
}

/* Rounds all state that goes from one step to the next to floats, because it is read and loaded as floats. */
static void round_to_float(cs_ref_program *program) {
    for (int array = 0; array < CS_ARRAY_COUNT; array++)
        for (size_t i = 0; array != CS_ARRAY_GRADIENT && program->arrays[array] && i < program->n_values; i++)
            program->arrays[array][i] = (double)(float)program->arrays[array][i];
}

cs_status cs_ref_update(cs_program *base, const cs_optimizer *optimizer, int64_t step) {
    static const cs_update_passes passes = {accumulate, clip, step_span, trust_spans, constrain, average};
    cs_ref_program *program = (cs_ref_program *)base;
    cs_update_run(base, &program->update, &passes, optimizer, step);
    if (base->spec.resumable)
        round_to_float(program);
    return CS_OK;
}
