/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate.h"
#include "cnnsweep/log.h"

cs_status cs_batch_prepare(cs_feed *feed, cs_trunk *trunk, int cut, int n_programs, cs_batch *batch,
                           cs_batch_cost *cost) {
    const cs_loader *loader = cs_feed_loader(feed);
    double start = cs_now(), stall = cs_loader_stall(loader);
    cs_status status = cs_feed_next(feed, batch);
    if (status == CS_OK && batch->n > 0)
        status = cs_trunk_forward(trunk, cut, feed, batch);
    *cost = (cs_batch_cost){(cs_now() - start) / n_programs, (cs_loader_stall(loader) - stall) / n_programs};
    return status;
}

void cs_effort_add(cs_effort *effort, const cs_batch *batch, int images, int cut, const cs_batch_cost *cost,
                   double seconds) {
    effort->seconds += cost->seconds + seconds;
    effort->stall += cost->stall;
    effort->images += images;
    effort->rows += batch->n;
    effort->reused += cut > 0 ? batch->n - batch->n_missing : 0;
}

cs_status cs_predict(cs_program *program, const cs_targets *targets, bool reads_batch, const cs_feed *feed,
                     const cs_batch *batch, cs_tally *sums) {
    cs_loss loss;
    if (reads_batch && batch->n > 0)
        CS_TRY(cs_feed_input(feed, batch, program));
    CS_TRY(cs_program_forward(program, batch->n));
    CS_TRY(cs_program_loss(program, targets, batch->n, NULL, &loss));
    *sums = (cs_tally){loss.sum + loss.penalty * batch->n, loss.correct, batch->n};
    return CS_OK;
}

cs_status cs_read_logits(cs_program *program, int output, float *logits, int n) {
    CS_TRY(cs_program_get_output(program, output, logits, n));
    if (cs_program_is_binary(program))
        for (size_t row = (size_t)n; row-- > 0;) {
            logits[2 * row + 1] = logits[row];
            logits[2 * row] = 0;
        }
    return CS_OK;
}

static cs_status evaluate_batch(const cs_evaluate_pass *pass, const cs_evaluated *program, const cs_batch *batch) {
    cs_evaluation *evaluation = program->evaluation;
    cs_tally sums = {0};
    if (batch->n == 0)
        return CS_OK;
    const cs_targets targets = cs_criterion_targets(program->criterion, batch, false);
    CS_TRY(cs_predict(program->program, &targets, program->reads_batch, pass->feed, batch, &sums));
    if (!pass->team) /* in a team the loss over all ranks is checked */
        CS_TRY(pass->check(pass->context, program, sums.loss));
    if (evaluation->spec.needs != CS_NEEDS_TALLY)
        CS_TRY(cs_read_logits(program->program, program->output, program->logits, batch->n));
    cs_evaluation_add(evaluation, &sums, &(cs_evaluated_rows){program->logits, batch->labels, batch->samples});
    return CS_OK;
}

static int deepest_cut(cs_evaluated *const *programs, int n) {
    int cut = 0;
    for (int i = 0; i < n; i++)
        if (programs[i]->cut > cut)
            cut = programs[i]->cut;
    return cut;
}

/* Loads one batch and runs it through the trunk, then through every program. */
static cs_status run_batch(const cs_evaluate_pass *pass, cs_evaluated **programs, int *n) {
    cs_batch batch;
    cs_batch_cost cost;
    CS_TRY(cs_batch_prepare(pass->feed, pass->trunk, deepest_cut(programs, *n), *n, &batch, &cost));
    int kept = 0;
    for (int i = 0; i < *n; i++) {
        cs_evaluated *program = programs[i];
        double begun = cs_now();
        cs_status status = evaluate_batch(pass, program, &batch);
        cs_effort_add(program->effort, &batch, batch.n, program->cut, &cost, cs_now() - begun);
        if (status == CS_OK)
            programs[kept++] = program;
        else if (pass->team)
            return status;
        else
            CS_TRY(pass->failed(pass->context, program, status));
    }
    *n = kept;
    return CS_OK;
}

static cs_status run_batches(const cs_evaluate_pass *pass, cs_evaluated **programs, int *n) {
    cs_loader *loader = cs_feed_loader(pass->feed);
    for (int i = 0; i < *n; i++)
        cs_evaluation_reset(programs[i]->evaluation);
    CS_TRY(cs_loader_start(loader, 0, 0));
    for (int i = cs_loader_batches(loader); i > 0 && *n > 0; i--) {
        CS_TRY(run_batch(pass, programs, n));
        CS_TRY(pass->after_batch(pass->context));
    }
    return CS_OK;
}

/* Sums the program's evaluation over all ranks. */
static cs_status sum_over_ranks(const cs_evaluate_pass *pass, const cs_evaluated *program) {
    cs_evaluation *evaluation = program->evaluation;
    CS_TRY(cs_team_sum(pass->team, evaluation->values, cs_evaluation_size(evaluation)));
    return pass->check(pass->context, program, cs_evaluation_tally(evaluation).loss);
}

cs_status cs_evaluate(const cs_evaluate_pass *pass, cs_evaluated **programs, int *n) {
    int kept = 0;
    CS_TRY(cs_team_agree(pass->team, run_batches(pass, programs, n)));
    for (int i = 0; i < *n && pass->team; i++) {
        cs_status status = sum_over_ranks(pass, programs[i]);
        if (status == CS_OK)
            programs[kept++] = programs[i];
        else
            CS_TRY(pass->failed(pass->context, programs[i], status));
    }
    if (pass->team)
        *n = kept;
    return CS_OK;
}
