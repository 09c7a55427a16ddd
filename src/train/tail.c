/* SPDX-License-Identifier: Apache-2.0 */
#include "tail.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/schedule.h"
#include "cnnsweep/swa.h"
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static cs_status open_evaluation(const cs_dataset *dataset, cs_split split, unsigned needs, cs_evaluation **out) {
    const cs_evaluation_spec spec = {
        .classes = cs_dataset_class_count(dataset), .needs = needs, .rows = cs_dataset_count(dataset, split)};
    return cs_evaluation_create(&spec, out);
}

static cs_status open_evaluations(cs_tail *tail, const cs_dataset *dataset) {
    const cs_metric_set *metrics = &tail->metrics;
    CS_TRY(open_evaluation(dataset, CS_SPLIT_TRAIN, cs_metric_needs(metrics, CS_METRIC_TRAIN), &tail->training));
    CS_TRY(open_evaluation(dataset, CS_SPLIT_VAL, cs_metric_needs(metrics, CS_METRIC_VAL), &tail->validation));
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        bool tested = cs_trial_evaluates(&tail->config->train, split);
        unsigned needs =
            tested ? cs_metric_needs(metrics, cs_metrics_after_training(split)) | tail->needs[split] : CS_NEEDS_TALLY;
        CS_TRY(open_evaluation(dataset, split, needs, &tail->tested[split]));
    }
    return CS_OK;
}

/* The columns that the trial computes. Without a val split those of the train split are monitored. */
static cs_status choose_metrics(cs_tail *tail) {
    CS_TRY(cs_trial_metrics(&tail->config->train, &tail->metrics));
    tail->metrics.has[tail->stopping.monitor.column] = true;
    if (tail->plateau.on)
        tail->metrics.has[tail->plateau.monitor.column] = true;
    return CS_OK;
}

cs_status cs_tail_open(cs_tail *tail, const cs_dataset *dataset, const cs_params *like) {
    const cs_train_config *config = &tail->config->train;
    size_t classes = (size_t)cs_dataset_class_count(dataset);
    int rows = cs_loader_part_rows(config->batch, cs_team_size(tail->team));
    if (config->epochs < 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.epochs is %d", config->epochs), "use 1 or more");
    bool validated = cs_dataset_count(dataset, CS_SPLIT_VAL) > 0;
    CS_TRY(cs_early_stopping_init(&tail->stopping, config, validated));
    CS_TRY(cs_plateau_init(&tail->plateau, config, validated));
    CS_TRY(cs_trial_network_like(tail->config, (int)classes, like, &tail->graph, &tail->params));
    CS_TRY(choose_metrics(tail));
    tail->cut = cs_trial_cut(tail->graph);
    if (cs_keeps_best(config) || cs_swa_is_on(config))
        CS_TRY(cs_alloc(tail->graph->n_values, sizeof(float), "best weights", &tail->best));
    CS_TRY(cs_alloc((size_t)rows * classes, sizeof(float), "logits", &tail->logits));
    CS_TRY(cs_criterion_open(&tail->criterion, config, dataset, tail->graph, rows));
    CS_TRY(open_evaluations(tail, dataset));
    return cs_segment_create(tail->graph, tail->cut, tail->graph->n_layers, &tail->segment);
}

cs_status cs_tail_compile(cs_tail *tail, cs_engine *engine, const cs_trunk *trunk, int steps) {
    cs_program_spec spec = {.segment = tail->segment,
                            .batch = cs_loader_part_rows(tail->config->train.batch, cs_team_size(tail->team)),
                            .mode = CS_MODE_TRAIN,
                            .upstream = cs_trunk_at(trunk, tail->cut),
                            .resumable = true,
                            .optimizer = &tail->config->train.optimizer};
    tail->reads_batch = !spec.upstream;
    tail->steps = steps;
    CS_TRY(cs_program_compile(engine, &spec, &tail->train));
    spec.mode = CS_MODE_INFER;
    CS_TRY(cs_program_compile(engine, &spec, &tail->infer));
    tail->validated = (cs_evaluated){.owner = tail,
                                     .program = tail->infer,
                                     .criterion = &tail->criterion,
                                     .output = tail->segment->n_outputs - 1,
                                     .cut = tail->cut,
                                     .reads_batch = tail->reads_batch,
                                     .logits = tail->logits,
                                     .evaluation = tail->validation,
                                     .effort = &tail->effort[CS_SPLIT_VAL]};
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        tail->evaluated[split] = tail->validated;
        tail->evaluated[split].evaluation = tail->tested[split];
        tail->evaluated[split].effort = &tail->effort[CS_SPLIT_TEST];
    }
    if (tail->config->train.optimizer.ema > 0)
        CS_TRY(cs_program_load(tail->train, CS_ARRAY_AVERAGE, tail->params));
    return cs_program_load(tail->train, CS_ARRAY_VALUE, tail->params);
}

cs_status cs_tail_open_exchange(cs_tail *tail, cs_engine *engine) {
    return tail->team ? cs_exchange_open(tail->team, engine, tail->train, tail->segment, tail->params,
                                         tail->config->train.sync_bn, &tail->exchange)
                      : CS_OK;
}

void cs_tail_close(cs_tail *tail) {
    cs_exchange_close(tail->exchange);
    cs_program_free(tail->infer);
    cs_program_free(tail->train);
    cs_segment_free(tail->segment);
    cs_evaluation_free(tail->training);
    cs_evaluation_free(tail->validation);
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        cs_evaluation_free(tail->tested[split]);
    cs_criterion_close(&tail->criterion);
    free(tail->logits);
    free(tail->best);
    cs_params_free(tail->params);
    cs_graph_free(tail->graph);
}

static cs_status fail_diverged(const cs_tail *tail, cs_split split, int64_t rows, double loss) {
    const cs_train_config *config = &tail->config->train;
    int epoch = tail->ending ? tail->tested_row.epoch : tail->epoch;
    int64_t step = rows / config->batch + 1;
    return cs_hint(cs_fail(CS_ERR_DIVERGED, "epoch %d of %d, %s step %lld: the loss is %s", epoch + 1,
                           tail->first_epoch + config->epochs, cs_split_name(split), (long long)step,
                           isnan(loss) ? "nan" : "infinite"),
                   "a smaller learning rate often helps; train.lr is %g", config->optimizer.lr);
}

cs_status cs_tail_check_loss(const cs_tail *tail, cs_split split, int64_t rows, double loss) {
    return isfinite(loss) ? CS_OK : fail_diverged(tail, split, rows, loss);
}

/* Keeps this rank's predictions of a train step, if a metric of the train split needs them. The sums of the step are
 * added by themselves, as a team has those of all ranks. */
static cs_status keep_predictions(cs_tail *tail, const cs_batch *batch) {
    if (tail->training->spec.needs == CS_NEEDS_TALLY || batch->n == 0)
        return CS_OK;
    CS_TRY(cs_read_logits(tail->train, tail->segment->n_outputs - 1, tail->logits, batch->n));
    cs_evaluation_add(tail->training, &(cs_tally){.rows = batch->n},
                      &(cs_evaluated_rows){tail->logits, batch->labels, batch->samples});
    return CS_OK;
}

static cs_status compute_gradients(cs_tail *tail, const cs_feed *feed, const cs_batch *batch, cs_tally *sums) {
    const cs_targets targets = cs_criterion_targets(&tail->criterion, batch, true);
    const cs_draw draw = {(uint64_t)tail->config->train.seed, (uint32_t)tail->epoch, batch->samples};
    cs_program_set_draw(tail->train, &draw);
    CS_TRY(cs_predict(tail->train, &targets, tail->reads_batch, feed, batch, sums));
    if (!tail->team) /* in a team the loss over all ranks is checked */
        CS_TRY(cs_tail_check_loss(tail, CS_SPLIT_TRAIN, tail->running.rows, sums->loss));
    CS_TRY(keep_predictions(tail, batch));
    return cs_program_backward(tail->train, batch->n);
}

static cs_status compute_team_gradients(cs_tail *tail, const cs_feed *feed, const cs_batch *batch, cs_tally *sums) {
    cs_status status = CS_OK;
    cs_exchange_begin(tail->exchange, batch);
    if (batch->n > 0 || cs_exchange_needs_all(tail->exchange))
        status = compute_gradients(tail, feed, batch, sums);
    CS_TRY(cs_exchange_end(tail->exchange, status, sums));
    return cs_tail_check_loss(tail, CS_SPLIT_TRAIN, tail->running.rows, sums->loss);
}

/* The batches of this phase that are done. */
static int64_t phase_step(const cs_tail *tail) {
    return tail->step - tail->first_step;
}

/* The optimizer with the rate and the momentum that the schedule has in batch `step` of the phase, counted from 0. */
static cs_optimizer optimizer_at(const cs_tail *tail, int64_t step) {
    return cs_schedule_optimizer(&tail->config->train, tail->plateau.state.rate, step, tail->steps);
}

cs_status cs_tail_train(cs_tail *tail, const cs_feed *feed, const cs_batch *batch) {
    cs_optimizer optimizer = optimizer_at(tail, phase_step(tail));
    cs_tally sums = {0};
    CS_TRY((tail->team ? compute_team_gradients : compute_gradients)(tail, feed, batch, &sums));
    CS_TRY(cs_program_update(tail->train, &optimizer, ++tail->step));
    tail->batch++;
    tail->last = sums;
    tail->rate = optimizer.lr;
    tail->running.loss += sums.loss;
    tail->running.correct += sums.correct;
    tail->running.rows += sums.rows;
    return CS_OK;
}

cs_status cs_tail_sync(cs_tail *tail) {
    cs_param_array evaluated = tail->config->train.optimizer.ema > 0 ? CS_ARRAY_AVERAGE : CS_ARRAY_VALUE;
    CS_TRY(cs_program_read(tail->train, evaluated, tail->params));
    return cs_program_load(tail->infer, CS_ARRAY_VALUE, tail->params);
}

static double total_seconds(const cs_tail *tail) {
    double seconds = 0;
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        seconds += tail->effort[split].seconds;
    return seconds;
}

static double fraction_reused(const cs_tail *tail) {
    int64_t rows = 0, reused = 0;
    for (int split = 0; split < CS_SPLIT_COUNT; split++) {
        rows += tail->effort[split].rows;
        reused += tail->effort[split].reused;
    }
    return rows ? (double)reused / (double)rows : 0;
}

cs_status cs_tail_sum_training(cs_tail *tail) {
    cs_evaluation *training = tail->training;
    if (training->spec.needs == CS_NEEDS_TALLY)
        return CS_OK;
    return cs_team_sum(tail->team, training->values, cs_evaluation_size(training));
}

/* Takes note of an epoch's result: the weights of the best epoch, and the rate after a plateau. Returns whether early
 * stopping ends the trial. */
static bool judge_epoch(cs_tail *tail, const cs_epoch_row *row) {
    const cs_train_config *config = &tail->config->train;
    cs_epoch_row of_phase = *row;
    of_phase.epoch -= tail->first_epoch;
    cs_stopping_decision decision = cs_early_stopping_decide(&tail->stopping, &of_phase);
    if (decision.best && cs_keeps_best(config))
        memcpy(tail->best, tail->params->data, tail->graph->n_values * sizeof(float));
    if (decision.best || !cs_restores_best(config))
        tail->tested_row = *row;
    if (phase_step(tail) >= cs_schedule_warmup(config, tail->steps) && !cs_swa_sets_rate(config, of_phase.epoch))
        cs_plateau_decide(&tail->plateau, row);
    return decision.stop;
}

/* The train split is not evaluated in a pass of its own: the predictions of the epoch's train steps are its evaluation.
 */
static void evaluate_epoch(const cs_tail *tail, double *values) {
    cs_evaluation_set_tally(tail->training, &tail->running);
    cs_metric_compute(&tail->metrics, CS_METRIC_TRAIN, tail->training, values);
    cs_metric_compute(&tail->metrics, CS_METRIC_VAL, tail->validation, values);
    cs_evaluation_reset(tail->training);
}

/* Adds the weights of the epoch to the average of earlier ones. */
static void average_epoch(cs_tail *tail) {
    int n = ++tail->averaged;
    for (size_t i = 0; i < tail->graph->n_values; i++) {
        double average = n > 1 ? (double)tail->best[i] : 0;
        tail->best[i] = (float)(average + ((double)tail->params->data[i] - average) / n);
    }
}

cs_status cs_tail_end_epoch(cs_tail *tail, cs_epoch_row *row) {
    double seconds = total_seconds(tail);
    int64_t step = phase_step(tail);
    CS_TRY(cs_tail_sum_training(tail));
    *row = (cs_epoch_row){.epoch = tail->epoch,
                          .learning_rate = optimizer_at(tail, step > 0 ? step - 1 : 0).lr,
                          .seconds = seconds - tail->reported};
    evaluate_epoch(tail, row->value);
    tail->reported = seconds;
    bool stops = judge_epoch(tail, row);
    if (cs_swa_averages(&tail->config->train, tail->epoch - tail->first_epoch))
        average_epoch(tail);
    tail->epoch++;
    tail->batch = 0;
    tail->running = (cs_tally){0};
    if (stops) /* even in the last epoch: the trial would not go on if it had more */
        tail->ending = CS_ENDED_EARLY_STOPPING;
    else if (tail->epoch - tail->first_epoch == tail->config->train.epochs)
        tail->ending = CS_ENDED_EPOCHS;
    return CS_OK;
}

static cs_status restore_average(cs_tail *tail) {
    cs_log(CS_LOG_INFO, "the mean of the weights of epochs %d to %d is tested", tail->epoch - tail->averaged + 1,
           tail->epoch);
    memcpy(tail->params->data, tail->best, tail->graph->n_values * sizeof(float));
    return cs_program_load(tail->infer, CS_ARRAY_VALUE, tail->params);
}

cs_status cs_tail_restore(cs_tail *tail) {
    if (tail->averaged > 0)
        return restore_average(tail);
    if (tail->tested_row.epoch == tail->epoch - 1)
        return CS_OK;
    cs_log(CS_LOG_INFO, "ended after epoch %d of %d; the weights of epoch %d, the best one, are restored", tail->epoch,
           tail->first_epoch + tail->config->train.epochs, tail->tested_row.epoch + 1);
    memcpy(tail->params->data, tail->best, tail->graph->n_values * sizeof(float));
    return cs_program_load(tail->infer, CS_ARRAY_VALUE, tail->params);
}

cs_status cs_tail_choose_saved(cs_tail *tail) {
    cs_saved_epoch saved = tail->config->train.save_epoch;
    if (saved == CS_SAVE_LAST)
        return cs_program_read(tail->train, CS_ARRAY_VALUE, tail->params);
    if (saved == CS_SAVE_BEST && tail->best)
        memcpy(tail->params->data, tail->best, tail->graph->n_values * sizeof(float));
    return CS_OK;
}

void cs_tail_result(const cs_tail *tail, const cs_trunk *trunk, cs_trial_result *result) {
    const cs_effort *train = &tail->effort[CS_SPLIT_TRAIN];
    cs_param_counts counts = cs_graph_count_params(tail->graph);
    *result = (cs_trial_result){
        .epochs_run = tail->epoch,
        .best_epoch = tail->tested_row.epoch,
        .ending = tail->ending,
        .seconds = total_seconds(tail),
        .images_per_second = train->seconds > 0 ? (double)train->images / train->seconds : 0,
        .stall_fraction = train->seconds > 0 ? train->stall / train->seconds : 0,
        .reused = fraction_reused(tail),
        .params_total = counts.total,
        .params_trainable = counts.trainable,
        .memory = cs_trunk_memory(trunk, tail->cut) + cs_program_memory(tail->train) + cs_program_memory(tail->infer),
    };
    memcpy(result->value, tail->tested_row.value, sizeof tail->tested_row.value);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        if (split != CS_SPLIT_VAL || tail->averaged > 0) /* else tested_row has these */
            cs_metric_compute(&tail->metrics, cs_metrics_after_training(split), tail->tested[split], result->value);
}
