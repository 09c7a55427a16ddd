/* SPDX-License-Identifier: Apache-2.0 */
/* For each case "UPDATES STEPS settings" prints the learning rate, the momentum and beta_1 of every update, a line
 * each; an epoch has STEPS updates. */
#include "cases.h"

#include "cnnsweep/schedule.h"

int main(void) {
    static cs_case of;
    while (case_read(&of)) {
        cs_train_config *train = &of.trial.train;
        int64_t updates = strtoll(of.words[0], NULL, 10), steps = strtoll(of.words[1], NULL, 10);
        double lr = (double)train->optimizer.lr;
        cs_schedule_prepare(train);
        if (cs_schedule_check(train) != CS_OK) {
            fprintf(stderr, "%s\n", cs_error_last()->text);
            return 1;
        }
        for (int64_t step = 0; step < updates; step++) {
            cs_optimizer optimizer = cs_schedule_optimizer(train, lr, step, steps);
            printf("%.17g %.9g %.9g\n", cs_schedule_rate(train, lr, step, steps), (double)optimizer.momentum,
                   (double)optimizer.beta_1);
        }
    }
    return 0;
}
