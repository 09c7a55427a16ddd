#include "tail.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The values of a tally in cs_tail.shared, in front of the confusion matrix. */
enum { LOSS, CORRECT, ROWS, TALLY };

cs_status cs_tail_open(cs_tail *tail, const cs_dataset *dataset, const cs_params *like) {
    const cs_train_config *config = &tail->config->train;
    size_t classes = (size_t)cs_dataset_class_count(dataset);
    size_t batch = (size_t)cs_loader_part_rows(config->batch, cs_team_size(tail->team));
    if (config->epochs < 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.epochs is %d", config->epochs), "use 1 or more");
    CS_TRY(cs_early_stopping_init(&tail->stopping, config, cs_dataset_count(dataset, CS_SPLIT_VAL) > 0));
    CS_TRY(cs_trial_network_like(tail->config, (int)classes, like, &tail->graph, &tail->params));
    tail->cut = cs_trial_cut(tail->graph);
    if (config->patience > 0)
        CS_TRY(cs_alloc(tail->graph->n_values, sizeof(float), "best weights", &tail->best));
    CS_TRY(cs_alloc(batch * classes, sizeof(float), "logits", &tail->logits));
    CS_TRY(cs_confusion_create((int)classes, &tail->confusion));
    if (tail->team)
        CS_TRY(cs_alloc(TALLY + classes * classes, sizeof *tail->shared, "tally", &tail->shared));
    return cs_segment_create(tail->graph, tail->cut, tail->graph->n_layers, &tail->segment);
}

cs_status cs_tail_compile(cs_tail *tail, cs_engine *engine, const cs_trunk *trunk) {
    cs_program_spec spec = {.segment = tail->segment,
                            .batch = cs_loader_part_rows(tail->config->train.batch, cs_team_size(tail->team)),
                            .mode = CS_MODE_TRAIN,
                            .upstream = cs_trunk_at(trunk, tail->cut),
                            .resumable = true};
    tail->reads_batch = !spec.upstream;
    CS_TRY(cs_program_compile(engine, &spec, &tail->train));
    spec.mode = CS_MODE_INFER;
    CS_TRY(cs_program_compile(engine, &spec, &tail->infer));
    return cs_program_load(tail->train, CS_SLOT_VALUE, tail->params);
}

cs_status cs_tail_join(cs_tail *tail, cs_engine *engine) {
    return tail->team ? cs_exchange_open(tail->team, engine, tail->train, tail->segment, tail->params,
                                         tail->config->train.sync_bn, &tail->exchange)
                      : CS_OK;
}

void cs_tail_close(cs_tail *tail) {
    cs_exchange_close(tail->exchange);
    free(tail->shared);
    cs_program_free(tail->infer);
    cs_program_free(tail->train);
    cs_segment_free(tail->segment);
    cs_confusion_free(tail->confusion);
    free(tail->logits);
    free(tail->best);
    cs_params_free(tail->params);
    cs_graph_free(tail->graph);
}

void cs_tail_begin(cs_tail *tail, cs_split split) {
    tail->tally[split] = (cs_tally){0};
}

static cs_status fail_diverged(const cs_tail *tail, cs_split split, double loss) {
    const cs_train_config *config = &tail->config->train;
    int epoch = split == CS_SPLIT_TEST ? tail->best_row.epoch : tail->epoch;
    int64_t step = tail->tally[split].rows / config->batch + 1;
    return cs_hint(cs_fail(CS_ERR_DIVERGED, "epoch %d of %d, %s step %lld: the loss is %s", epoch + 1, config->epochs,
                           cs_split_name(split), (long long)step, isnan(loss) ? "nan" : "infinite"),
                   "a smaller learning rate often helps; train.lr is %g", (double)config->optimizer.lr);
}

static cs_status count_predictions(cs_tail *tail, const cs_batch *batch) {
    int classes = tail->confusion->classes;
    CS_TRY(cs_program_get_output(tail->infer, tail->segment->n_outputs - 1, tail->logits, batch->n));
    for (int i = 0; i < batch->n; i++) {
        const float *row = tail->logits + (size_t)i * (size_t)classes;
        int largest = 0;
        for (int k = 1; k < classes; k++)
            if (row[k] > row[largest])
                largest = k;
        cs_confusion_add(tail->confusion, batch->labels[i], largest);
    }
    return CS_OK;
}

/* Forward and loss, of this rank's rows. */
static cs_status predict(cs_tail *tail, cs_program *program, const cs_feed *feed, const cs_batch *batch,
                         cs_tally *sums) {
    cs_loss loss;
    if (tail->reads_batch && batch->n > 0)
        CS_TRY(cs_feed_input(feed, batch, program));
    CS_TRY(cs_program_forward(program, batch->n));
    CS_TRY(cs_program_loss(program, batch->labels, batch->n, NULL, &loss));
    *sums = (cs_tally){loss.sum + loss.penalty * batch->n, loss.correct, batch->n};
    return CS_OK;
}

static cs_status check_finite(const cs_tail *tail, cs_split split, const cs_tally *sums) {
    return isfinite(sums->loss) ? CS_OK : fail_diverged(tail, split, sums->loss);
}

static cs_status find_gradients(cs_tail *tail, const cs_feed *feed, const cs_batch *batch, cs_tally *sums) {
    const cs_draw draw = {(uint64_t)tail->config->train.seed, (uint32_t)tail->epoch, batch->samples};
    cs_program_set_draw(tail->train, &draw);
    CS_TRY(predict(tail, tail->train, feed, batch, sums));
    if (!tail->team) /* in a team the loss of all ranks is the one that counts */
        CS_TRY(check_finite(tail, CS_SPLIT_TRAIN, sums));
    return cs_program_backward(tail->train, batch->n);
}

static cs_status find_shared_gradients(cs_tail *tail, const cs_feed *feed, const cs_batch *batch, cs_tally *sums) {
    cs_status status = CS_OK;
    cs_exchange_begin(tail->exchange, batch);
    if (batch->n > 0 || cs_exchange_needs_all(tail->exchange))
        status = find_gradients(tail, feed, batch, sums);
    CS_TRY(cs_exchange_end(tail->exchange, status, sums));
    return check_finite(tail, CS_SPLIT_TRAIN, sums);
}

static cs_status learn(cs_tail *tail, const cs_feed *feed, const cs_batch *batch, cs_tally *sums) {
    CS_TRY((tail->team ? find_shared_gradients : find_gradients)(tail, feed, batch, sums));
    CS_TRY(cs_program_update(tail->train, &tail->config->train.optimizer, ++tail->step));
    tail->batch++;
    return CS_OK;
}

static cs_status judge(cs_tail *tail, cs_split split, const cs_feed *feed, const cs_batch *batch, cs_tally *sums) {
    if (batch->n == 0)
        return CS_OK;
    CS_TRY(predict(tail, tail->infer, feed, batch, sums));
    if (!tail->team)
        CS_TRY(check_finite(tail, split, sums));
    return split == CS_SPLIT_TEST ? count_predictions(tail, batch) : CS_OK;
}

cs_status cs_tail_run(cs_tail *tail, cs_split split, const cs_feed *feed, const cs_batch *batch) {
    cs_tally *tally = &tail->tally[split], sums = {0};
    CS_TRY(split == CS_SPLIT_TRAIN ? learn(tail, feed, batch, &sums) : judge(tail, split, feed, batch, &sums));
    tally->loss += sums.loss;
    tally->correct += sums.correct;
    tally->rows += sums.rows;
    return CS_OK;
}

cs_status cs_tail_share(cs_tail *tail, cs_split split) {
    cs_tally *tally = &tail->tally[split];
    double *shared = tail->shared;
    int cells = split == CS_SPLIT_TEST ? tail->confusion->classes * tail->confusion->classes : 0;
    if (!tail->team)
        return CS_OK;
    shared[LOSS] = tally->loss;
    shared[CORRECT] = (double)tally->correct;
    shared[ROWS] = (double)tally->rows;
    for (int i = 0; i < cells; i++)
        shared[TALLY + i] = (double)tail->confusion->counts[i];
    CS_TRY(cs_team_sum(tail->team, shared, (size_t)(TALLY + cells)));
    *tally = (cs_tally){shared[LOSS], (int64_t)shared[CORRECT], (int64_t)shared[ROWS]};
    for (int i = 0; i < cells; i++)
        tail->confusion->counts[i] = (int64_t)shared[TALLY + i];
    return check_finite(tail, split, tally);
}

cs_status cs_tail_sync(cs_tail *tail) {
    CS_TRY(cs_program_read(tail->train, CS_SLOT_VALUE, tail->params));
    return cs_program_load(tail->infer, CS_SLOT_VALUE, tail->params);
}

/* Means over the pass; NaN when there was none. */
static double mean_loss(const cs_tally *tally) {
    return tally->rows ? tally->loss / (double)tally->rows : NAN;
}

static double mean_accuracy(const cs_tally *tally) {
    return tally->rows ? (double)tally->correct / (double)tally->rows : NAN;
}

static double total_seconds(const cs_tail *tail) {
    double seconds = 0;
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        seconds += tail->effort[split].seconds;
    return seconds;
}

static double share_reused(const cs_tail *tail) {
    int64_t rows = 0, reused = 0;
    for (int split = 0; split < CS_SPLIT_COUNT; split++) {
        rows += tail->effort[split].rows;
        reused += tail->effort[split].reused;
    }
    return rows ? (double)reused / (double)rows : 0;
}

void cs_tail_end_epoch(cs_tail *tail, cs_epoch_row *row) {
    const cs_tally *train = &tail->tally[CS_SPLIT_TRAIN], *val = &tail->tally[CS_SPLIT_VAL];
    double seconds = total_seconds(tail);
    *row = (cs_epoch_row){.epoch = tail->epoch,
                          .accuracy = mean_accuracy(train),
                          .loss = mean_loss(train),
                          .val_accuracy = mean_accuracy(val),
                          .val_loss = mean_loss(val),
                          .learning_rate = (double)tail->config->train.optimizer.lr,
                          .seconds = seconds - tail->reported};
    tail->reported = seconds;
    cs_verdict verdict = cs_early_stopping_judge(&tail->stopping, row);
    if (verdict == CS_VERDICT_BEST) {
        tail->best_row = *row;
        if (tail->best)
            memcpy(tail->best, tail->params->data, tail->graph->n_values * sizeof(float));
    }
    tail->epoch++;
    tail->batch = 0;
    tail->tally[CS_SPLIT_TRAIN] = (cs_tally){0};
    tail->ended = verdict == CS_VERDICT_STOP || tail->epoch == tail->config->train.epochs;
}

cs_status cs_tail_restore(cs_tail *tail) {
    if (!tail->best || tail->best_row.epoch == tail->epoch - 1)
        return CS_OK;
    cs_log(CS_LOG_INFO, "ended after epoch %d of %d; the weights of epoch %d, the best one, are restored", tail->epoch,
           tail->config->train.epochs, tail->best_row.epoch + 1);
    memcpy(tail->params->data, tail->best, tail->graph->n_values * sizeof(float));
    return cs_program_load(tail->infer, CS_SLOT_VALUE, tail->params);
}

void cs_tail_result(const cs_tail *tail, const cs_trunk *trunk, cs_trial_result *result) {
    const cs_effort *train = &tail->effort[CS_SPLIT_TRAIN];
    const cs_tally *test = &tail->tally[CS_SPLIT_TEST];
    cs_param_counts counts = cs_graph_count_params(tail->graph);
    *result = (cs_trial_result){
        .epochs_run = tail->epoch,
        .best_epoch = tail->best_row.epoch,
        .accuracy = tail->best_row.accuracy,
        .loss = tail->best_row.loss,
        .val_accuracy = tail->best_row.val_accuracy,
        .val_loss = tail->best_row.val_loss,
        .test_accuracy = mean_accuracy(test),
        .test_loss = mean_loss(test),
        .test_macro_f1 = test->rows ? cs_confusion_macro(tail->confusion).f1 : NAN,
        .test_weighted_f1 = test->rows ? cs_confusion_weighted(tail->confusion).f1 : NAN,
        .seconds = total_seconds(tail),
        .images_per_second = train->seconds > 0 ? (double)train->images / train->seconds : 0,
        .stall_fraction = train->seconds > 0 ? train->stall / train->seconds : 0,
        .reused = share_reused(tail),
        .params_total = counts.total,
        .params_trainable = counts.trainable,
        .memory = cs_trunk_memory(trunk, tail->cut) + cs_program_memory(tail->train) + cs_program_memory(tail->infer),
    };
}
