/* SPDX-License-Identifier: Apache-2.0 */
#include "space.h"
#include "cnnsweep/log.h"
#include "cnnsweep/trial_details.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

/* Each trial of a group keeps its last checkpoint and the one before it. One more is being written. */
static double checkpoints_of_group(const cs_plan *plan, const cs_trial_group *group) {
    const double kept = 2;
    double all = 0, written = 0;
    for (int i = group->first; i < group->first + group->n; i++) {
        all += kept * plan->costs[i].checkpoint;
        written = plan->costs[i].checkpoint > written ? plan->costs[i].checkpoint : written;
    }
    return all + written;
}

/* The order of the groups depends on their time and not on their size, so the largest ones may be trained at once. */
static double checkpoints_of(const cs_plan *plan) {
    double largest = 0, all = 0;
    for (int p = 0; p < plan->n_groups; p++) {
        double group = checkpoints_of_group(plan, &plan->groups[p]);
        largest = group > largest ? group : largest;
        all += group;
    }
    return largest * plan->rank_groups < all ? largest * plan->rank_groups : all;
}

static double weights_of(const cs_plan *plan) {
    const cs_job *job = plan->job;
    double largest = 0, all = 0;
    for (int i = 0; i < plan->n_costs; i++) {
        const cs_cost *cost = &plan->costs[i];
        if (strcmp(job->trials[cost->trial].train.save_weights, "none") == 0)
            continue;
        largest = cost->weights > largest ? cost->weights : largest;
        all += cost->weights;
    }
    /* The files of the best `keep_weights` trials are kept. One more exists until its trial is known not to be among
     * them. */
    double kept = largest * (job->run.keep_weights + 1);
    return job->run.keep_weights > 0 && kept < all ? kept : all;
}

/* The details of a split and the list of its misclassified images, of which there may be as many as images. */
static double details_of(double classes, double images) {
    const double all_else = 10000, class = 400, point = 12, matrix_cell = 7, listed_cell = 16, image = 130;
    double points = fmin(CS_DETAILS_POINTS, 2 * images + 2), curves = 2 * fmin(classes, CS_DETAILS_CURVE_CLASSES);
    double cells =
        classes <= CS_DETAILS_DENSE ? matrix_cell * classes * classes : listed_cell * fmin(CS_DETAILS_CELLS, images);
    return all_else + class * classes + point * points * curves + cells + image * images;
}

/* The reports of a trial, of which the confusion matrix is the largest part, its details, its hits in the journal
 * (hits.h), and the predictions of a held-out fold. */
static double reports_of(const cs_plan *plan) {
    const double cell = 7, line = 100, hits_of_a_byte = 4, probability = 12;
    const cs_train_config *train = &plan->job->base.train;
    const cs_folds folds = cs_trial_folds(&plan->job->trials[0]);
    double classes = cs_dataset_class_count(plan->dataset), bytes = 0;
    int64_t images[CS_SPLIT_COUNT];
    cs_plan_count_images(plan, 0, images);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        if (cs_trial_evaluates(train, split) && images[split] > 0)
            bytes += classes * (cell * classes + line) + details_of(classes, (double)images[split]);
    if (folds.fold.count > 0)
        bytes += (double)images[folds.held_out] * (line + probability * classes);
    return bytes + (double)images[CS_SPLIT_TEST] / hits_of_a_byte;
}

cs_space cs_space_of(const cs_plan *plan) {
    const double epoch_bytes = 300, trial_bytes = 4096 + reports_of(plan); /* journal and history; all else */
    cs_space space = {.checkpoints = checkpoints_of(plan), .weights = weights_of(plan)};
    for (int i = 0; i < plan->n_costs; i++) {
        const cs_cost *cost = &plan->costs[i];
        space.rows += trial_bytes + epoch_bytes * cost->epochs;
        if (cs_job_keeps_state(plan->job, cost->trial))
            space.states += cost->weights + cost->checkpoint;
    }
    return space;
}

void cs_space_print(const cs_plan *plan, const char *folder, FILE *out) {
    const double mega = 1e6;
    struct statvfs disk;
    cs_space space = cs_space_of(plan);
    double need = space.checkpoints + space.states + space.weights + space.rows, room;
    if (statvfs(folder, &disk) != 0)
        return;
    room = (double)disk.f_bavail * (double)disk.f_frsize;
    fputs("disk: checkpoints up to ", out);
    cs_print_bytes(space.checkpoints, out);
    if (space.states > 0) {
        fputs(", final states ", out);
        cs_print_bytes(space.states, out);
    }
    fputs(", weights ", out);
    cs_print_bytes(space.weights, out);
    fputs(", rows ", out);
    cs_print_bytes(space.rows, out);
    fputs("; free are ", out);
    cs_print_bytes(room, out);
    fputc('\n', out);
    if (need > room)
        cs_log(
            CS_LOG_WARN,
            "%s may fill up: the sweep wants up to %.1f MB, %.1f MB are free. A full disk stops it; --resume goes on "
            "when there is room",
            folder, need / mega, room / mega);
}
