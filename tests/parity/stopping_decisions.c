/* SPDX-License-Identifier: Apache-2.0 */
/* For each case "stopping VALUE... settings", where the values are those of the monitored metric epoch by epoch, prints
 * after how many epochs early stopping stops and the epoch whose weights it restores. For "plateau VALUE... settings"
 * prints the learning rate after every epoch. */
#include "cases.h"

#include "early_stopping.h"
#include "plateau.h"

static void require(cs_status status) {
    if (status == CS_OK)
        return;
    fprintf(stderr, "%s\n", cs_error_last()->text);
    exit(1);
}

static cs_epoch_row row_of(const cs_case *of, int epoch, int column) {
    cs_epoch_row row = {.epoch = epoch};
    row.value[column] = strtod(of->words[epoch + 1], NULL);
    return row;
}

static void print_stop(const cs_case *of) {
    cs_early_stopping stopping;
    int epochs = 0, best = 0;
    cs_stopping_decision decision = {0};
    require(cs_early_stopping_init(&stopping, &of->trial.train, true));
    for (; epochs < of->n - 1 && !decision.stop; epochs++) {
        cs_epoch_row row = row_of(of, epochs, stopping.monitor.column);
        decision = cs_early_stopping_decide(&stopping, &row);
        best = decision.best ? epochs : best;
    }
    printf("%d %d\n", epochs, best);
}

static void print_rates(const cs_case *of) {
    cs_plateau plateau;
    require(cs_plateau_init(&plateau, &of->trial.train, true));
    for (int epoch = 0; epoch < of->n - 1; epoch++) {
        cs_epoch_row row = row_of(of, epoch, plateau.monitor.column);
        cs_plateau_decide(&plateau, &row);
        printf("%.17g ", plateau.state.rate);
    }
    printf("\n");
}

int main(void) {
    static cs_case of;
    while (case_read(&of))
        (strcmp(of.words[0], "plateau") == 0 ? print_rates : print_stop)(&of);
    return 0;
}
