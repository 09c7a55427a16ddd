/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that share a batch, with batch norms that use the statistics of the whole batch. The gradients of the ranks,
 * weighted by their numbers of rows, must add up to those of one program on the whole batch, and so must the moving
 * statistics. The hook must be called when gradients are complete. The tests run for every case on every engine of the
 * build. */
#include "ranks.h"
#include "run.h"

#include <stdlib.h>
#include <string.h>

typedef struct rank_run {
    engine_run run;
    cs_status status;
} rank_run;

typedef struct shared_step {
    const engine_case *row;
    const char *device;
    rank_run *parts; /* one for each rank */
} shared_step;

static cs_status step_on(engine_run *run, const cs_comm *comm, int first, int n) {
    cs_program *program = run_last(run);
    size_t pixels = cs_shape_count(run->graph->layers[0].out);
    run->draw.samples = run->samples + first;
    cs_program_set_comm(program, comm);
    cs_program_set_draw(program, &run->draw);
    if (n > 0) {
        CS_TRY(cs_program_set_input(run->programs[0], 0, run->input + (size_t)first * pixels, n));
        if (program != run->programs[0])
            CS_TRY(cs_program_forward(run->programs[0], n));
    }
    CS_TRY(cs_program_forward(program, n));
    CS_TRY(cs_program_loss(program, &(cs_targets){.labels = run->labels + first}, n, NULL, &run->loss));
    return cs_program_backward(program, n);
}

static void step_of_a_rank(const cs_comm *comm, void *context) {
    shared_step *step = context;
    rank_run *self = &step->parts[comm->rank];
    int first, n;
    /* oneDNN requires that a primitive is used in the thread that made it. */
    run_open(&self->run, step->row, step->device, CS_MODE_TRAIN);
    ranks_rows(step->row->rows, comm, &first, &n);
    self->status = step_on(&self->run, comm, first, n);
}

/* Adds factor * from to `to`. */
static void add_params(cs_params *to, cs_params *from, double factor) {
    for (size_t i = 0; i < to->graph->n_values; i++)
        to->data[i] += (float)(factor * (double)from->data[i]);
    cs_params_free(from);
}

static void check_equal_to_whole(const engine_case *row, const char *device, double tolerance, int size) {
    rank_run parts[RANKS_MAX];
    engine_run whole;
    cs_params *gradients;
    double loss = 0;
    run_open(&whole, row, device, CS_MODE_TRAIN);
    run_step(&whole);
    ranks_run(size, step_of_a_rank, &(shared_step){row, device, parts});
    assert_ok(cs_params_create(whole.graph, &gradients));
    cs_params *want = run_read(&whole, CS_ARRAY_GRADIENT), *want_values = run_read(&whole, CS_ARRAY_VALUE);
    for (int r = 0; r < size; r++) {
        const cs_comm comm = {.rank = r, .size = size};
        int first, n;
        ranks_rows(row->rows, &comm, &first, &n);
        assert_ok(parts[r].status);
        cs_params *values = run_read(&parts[r].run, CS_ARRAY_VALUE);
        assert_params_near(values, want_values, tolerance, "value");
        cs_params_free(values);
        add_params(gradients, run_read(&parts[r].run, CS_ARRAY_GRADIENT), (double)n / row->rows);
        loss += parts[r].run.loss.sum;
        run_close(&parts[r].run);
    }
    assert_params_near(gradients, want, tolerance, "gradient");
    assert_near(&(float){(float)loss}, &(float){(float)whole.loss.sum}, 1, tolerance, 0, "loss");
    cs_params_free(gradients);
    cs_params_free(want);
    cs_params_free(want_values);
    run_close(&whole);
}

/* With one rank more than rows, one rank has no rows. */
static void check_on(const engine_case *row, const char *device, double tolerance) {
    check_equal_to_whole(row, device, tolerance, 2);
    if (row->rows < RANKS_MAX)
        check_equal_to_whole(row, device, tolerance, row->rows + 1);
}

static void ranks_give_the_gradients_of_one_rank_on_the_whole_batch(void **state) {
    /* Partial gradients that cancel are rounded to float. */
    for (const char *const *device = test_devices(); *device; device++)
        check_on(*state, *device, strcmp(*device, "ref") == 0 ? 1e-5 : 2e-4);
}

enum { MAX_CALLS = 512 };

/* The calls of the hook: a copy of the gradients from each layer on, at the time of the call. */
typedef struct hook_calls {
    cs_program *program;
    int begin, end;
    int layers[MAX_CALLS], calls;
    float *values[MAX_CALLS];
    bool descending;
} hook_calls;

static cs_status keep_gradients(void *context, int layer) {
    hook_calls *t = context;
    const cs_bucket part = {CS_BUCKET_GRADIENTS, layer, t->end};
    if (t->calls == MAX_CALLS)
        return cs_fail(CS_ERR_ARG, "too many calls");
    t->descending = t->descending && (t->calls == 0 || layer <= t->layers[t->calls - 1]);
    t->layers[t->calls] = layer;
    t->values[t->calls] = calloc(cs_program_bucket_count(t->program, &part) + 1, sizeof(float));
    cs_program_read_bucket(t->program, &part, t->values[t->calls++]);
    return CS_OK;
}

static void check_hook(const engine_case *row, const char *device) {
    engine_run run;
    run_open(&run, row, device, CS_MODE_TRAIN);
    const cs_segment *segment = run.segments[run.n_programs - 1];
    hook_calls t = {.program = run_last(&run), .begin = segment->begin, .end = segment->end, .descending = true};
    cs_program_on_gradients(run_last(&run), keep_gradients, &t);
    run_step(&run);
    cs_program_on_gradients(run_last(&run), NULL, NULL);
    assert_true(t.descending);
    assert_in_range(t.calls, 1, MAX_CALLS - 1);
    assert_int_equal(t.layers[t.calls - 1], segment->begin);
    for (int i = 0; i < t.calls; i++) {
        const cs_bucket part = {CS_BUCKET_GRADIENTS, t.layers[i], t.end};
        size_t count = cs_program_bucket_count(run_last(&run), &part);
        float *final = calloc(count + 1, sizeof *final);
        cs_program_read_bucket(run_last(&run), &part, final);
        assert_memory_equal(t.values[i], final, count * sizeof *final);
        free(final);
        free(t.values[i]);
    }
    run_close(&run);
}

static void the_hook_reports_complete_gradients_in_descending_order(void **state) {
    for (const char *const *device = test_devices(); *device; device++)
        check_hook(*state, *device);
}

static cs_status refuse(void *context, int layer) {
    (void)context;
    return cs_fail(CS_ERR_COMM, "refused at layer %d", layer);
}

static void a_hook_that_fails_ends_backward(void **state) {
    engine_run run;
    run_open(&run, *state, test_device(), CS_MODE_TRAIN);
    run_forward(&run);
    cs_program_on_gradients(run_last(&run), refuse, NULL);
    assert_fails(cs_program_backward(run_last(&run), run.row->rows), CS_ERR_COMM, "refused");
    run_close(&run);
}

/* Writes out a bucket and loads it again. All gradients must be in it, and no other values. */
static void a_bucket_that_is_read_and_loaded_has_all_gradients(void **state) {
    for (const char *const *device = test_devices(); *device; device++) {
        engine_run run;
        run_open(&run, *state, *device, CS_MODE_TRAIN);
        run_step(&run);
        const cs_segment *segment = run.segments[run.n_programs - 1];
        const cs_bucket all = {CS_BUCKET_GRADIENTS, segment->begin, segment->end};
        size_t count = cs_program_bucket_count(run_last(&run), &all);
        float *values = calloc(count + 1, sizeof *values);
        cs_params *before = run_read(&run, CS_ARRAY_GRADIENT);
        cs_program_read_bucket(run_last(&run), &all, values);
        for (size_t i = 0; i < count; i++)
            values[i] *= 2;
        cs_program_load_bucket(run_last(&run), &all, values);
        cs_params *after = run_read(&run, CS_ARRAY_GRADIENT);
        for (size_t i = 0; i < before->graph->n_values; i++)
            assert_true(after->data[i] == 2 * before->data[i]);
        cs_params_free(before);
        cs_params_free(after);
        free(values);
        run_close(&run);
    }
}

/* Sums by the engines themselves, where every rank has its own GPU. */
typedef struct summed_step {
    const engine_case *row;
    const char *device;
    engine_run runs[RANKS_MAX];
    double weights[RANKS_MAX];
    cs_params *own[RANKS_MAX], *got[RANKS_MAX]; /* gradients */
    bool able[RANKS_MAX];
    cs_status refused[RANKS_MAX]; /* status of a sum after cs_engine_leave */
} summed_step;

typedef struct summing {
    cs_program *program;
    int end; /* end of the layers that have not been summed yet */
    float weight;
} summing;

/* Sums layer by layer. A rank without rows makes the same calls. */
static cs_status sum_complete(void *context, int layer) {
    summing *s = context;
    for (; s->end > layer; s->end--) {
        const cs_bucket part = {CS_BUCKET_GRADIENTS, s->end - 1, s->end};
        CS_TRY(cs_program_allreduce(s->program, &part, s->weight));
    }
    return CS_OK;
}

static const cs_optimizer sgd = {.kind = CS_OPTIMIZER_SGD, .lr = 1e-3f};

static void sum_gradients(summed_step *step, const cs_comm *comm, engine_run *run) {
    cs_program *program = run_last(run);
    const cs_segment *segment = run->segments[run->n_programs - 1];
    int first, n;
    ranks_rows(step->row->rows, comm, &first, &n);
    summing s = {program, segment->end, (float)n / (float)step->row->rows};
    if (n > 0) {
        assert_ok(step_on(run, NULL, first, n));
        step->own[comm->rank] = run_read(run, CS_ARRAY_GRADIENT);
        cs_program_on_gradients(program, sum_complete, &s);
        assert_ok(step_on(run, NULL, first, n));
        cs_program_on_gradients(program, NULL, NULL);
    } else { /* gradients of an earlier step must not be part of this sum */
        assert_ok(cs_program_update(program, &sgd, 1));
        assert_ok(sum_complete(&s, segment->begin));
    }
    step->weights[comm->rank] = (double)s.weight;
    step->got[comm->rank] = run_read(run, CS_ARRAY_GRADIENT);
}

static void sum_as_a_rank(const cs_comm *comm, void *context) {
    summed_step *step = context;
    engine_run *run = &step->runs[comm->rank];
    run_open_training(run, step->row, step->device, &sgd);
    const cs_bucket all = {CS_BUCKET_GRADIENTS, 0, run->graph->n_layers};
    assert_ok(cs_engine_join(run->engine, comm, &step->able[comm->rank]));
    if (step->able[comm->rank]) {
        sum_gradients(step, comm, run);
        cs_engine_leave(run->engine);
        step->refused[comm->rank] = cs_program_allreduce(run_last(run), &all, 1);
    }
}

static void check_sum(summed_step *step, int size) {
    cs_params *want;
    assert_ok(cs_params_create(step->runs[0].graph, &want));
    for (int r = 0; r < size; r++) {
        if (step->own[r])
            add_params(want, step->own[r], step->weights[r]);
        assert_memory_equal(step->got[r]->data, step->got[0]->data, want->graph->n_values * sizeof *want->data);
        assert_int_equal(step->refused[r], CS_ERR_COMM);
    }
    assert_params_near(step->got[0], want, 1e-5, "summed gradient");
    for (int r = 0; r < size; r++)
        cs_params_free(step->got[r]);
    cs_params_free(want);
}

static void check_sums(const engine_case *row, const char *device, int size) {
    summed_step step = {.row = row, .device = device};
    const char *gpus = getenv("CNNSWEEP_HOST_GPUS");
    ranks_run(size, sum_as_a_rank, &step);
    for (int r = 0; r < size; r++)
        assert_true(step.able[r] == step.able[0]);
    if (gpus && strcmp(device, "cuda") == 0)
        assert_true(step.able[0] == (atoi(gpus) >= size));
    if (step.able[0])
        check_sum(&step, size);
    for (int r = 0; r < size; r++)
        run_close(&step.runs[r]);
}

static void engines_sum_the_gradients_of_ranks(void **state) {
    for (const char *const *device = test_devices(); *device; device++) {
        const engine_case *row = *state;
        check_sums(row, *device, 2);
        if (row->rows < RANKS_MAX)
            check_sums(row, *device, row->rows + 1);
    }
}

int main(void) {
    return run_cases("ranks", ranks_give_the_gradients_of_one_rank_on_the_whole_batch) +
           run_cases("hook", the_hook_reports_complete_gradients_in_descending_order) +
           run_cases("failing hook", a_hook_that_fails_ends_backward) +
           run_cases("shared gradients", a_bucket_that_is_read_and_loaded_has_all_gradients) +
           run_cases("sums by the engine", engines_sum_the_gradients_of_ranks);
}
