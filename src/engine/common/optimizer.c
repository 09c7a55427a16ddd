/* SPDX-License-Identifier: Apache-2.0 */
#define CS_REAL        double
#define CS_SQRT        sqrt
#define CS_STEP        static inline
#define CS_STEP_STATES double *const *
#include "optimizer_step.h"

typedef struct optimizer_row {
    const char *name;
    float lr;
    int plain_states, most_states;
    void (*rates)(const cs_optimizer *optimizer, int64_t step, double *rates);
} optimizer_row;

#define ROW(kind, name, lr, plain_states, most_states, rates, step)                                                    \
    [CS_OPTIMIZER_##kind] = {name, lr, plain_states, most_states, cs_rates_##rates},
static const optimizer_row rows[CS_OPTIMIZER_COUNT] = {CS_OPTIMIZERS(ROW)};

const char *cs_optimizer_name(int kind) {
    return kind < CS_OPTIMIZER_COUNT ? rows[kind].name : NULL;
}

float cs_optimizer_default_lr(cs_optimizer_kind kind) {
    return rows[kind].lr;
}

int cs_optimizer_states(const cs_optimizer *optimizer) {
    const optimizer_row *row = &rows[optimizer->kind];
    return optimizer->momentum > 0 ? row->most_states : row->plain_states;
}

void cs_optimizer_rates(const cs_optimizer *optimizer, int64_t step, double rates[CS_OPTIMIZER_RATES]) {
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        rates[i] = 0;
    rows[optimizer->kind].rates(optimizer, step, rates);
}

void cs_optimizer_rates_float(const cs_optimizer *optimizer, int64_t step, float rates[CS_OPTIMIZER_RATES]) {
    double exact[CS_OPTIMIZER_RATES];
    cs_optimizer_rates(optimizer, step, exact);
    for (int i = 0; i < CS_OPTIMIZER_RATES; i++)
        rates[i] = (float)exact[i];
}
