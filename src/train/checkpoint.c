/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint.h"
#include "cnnsweep/file.h"
#include "cnnsweep/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The members of a tail that make up its state, other than its parameters. */
typedef struct tail_field {
    size_t offset, size;
} tail_field;

#define FIELD(member)                                                                                                  \
    { offsetof(cs_tail, member), sizeof(((cs_tail *)0)->member) }

static const tail_field fields[] = {
    FIELD(epoch),         FIELD(first_epoch),   FIELD(batch),          FIELD(ending),        FIELD(step),
    FIELD(first_step),    FIELD(running),       FIELD(effort),         FIELD(reported),      FIELD(tested_row),
    FIELD(stopping.wait), FIELD(stopping.best), FIELD(stopping.begun), FIELD(plateau.state), FIELD(averaged),
};
enum { N_FIELDS = sizeof fields / sizeof *fields };

/* The arrays that a checkpoint holds, in this order: the values, the optimizer's states, the averages of the values. */
static int count_arrays(const cs_optimizer *optimizer) {
    return 1 + cs_optimizer_states(optimizer) + (optimizer->ema > 0);
}

static cs_param_array array_at(const cs_optimizer *optimizer, int i) {
    if (i == 0)
        return CS_ARRAY_VALUE;
    return i <= cs_optimizer_states(optimizer) ? (cs_param_array)(CS_ARRAY_STATE + i - 1) : CS_ARRAY_AVERAGE;
}

typedef struct checkpoint_names {
    const char *path;
    char previous[CS_PATH_MAX], next[CS_PATH_MAX];
} checkpoint_names;

static cs_status name_files(const char *path, checkpoint_names *out) {
    out->path = path;
    CS_TRY(cs_path(out->previous, sizeof out->previous, "%s.previous", path));
    return cs_path(out->next, sizeof out->next, "%s.next", path);
}

/* "CSCKPT", then the version. A file from a machine with another byte order has another number here. */
static const uint64_t magic = 0x435343504b540004;

/* Identifies the tail of a checkpoint, so that it is not read into another one. */
typedef struct checkpoint_header {
    uint64_t magic;
    uint64_t trial, dataset; /* cs_trial_key_of_any_length, as a trial may be asked for more epochs; of its dataset */
    uint64_t phase;          /* cs_phase_key */
    uint64_t all_values;     /* floats for all layers of the network */
    uint64_t initial;        /* of the initial values: a weights file may change and keep its name */
    uint64_t metrics;        /* of the names of an epoch's metrics, whose values are in the epoch rows */
    uint64_t values, arrays; /* floats in an array; number of arrays of the program */
    uint64_t best;           /* 1: the best values follow the arrays */
    uint64_t final;          /* 1: a final state, whose last array is of the tested values of all layers */
} checkpoint_header;

/* The index of the first value of the tail's layers. */
static size_t first_value(const cs_tail *tail) {
    const cs_graph *graph = tail->graph;
    for (int i = 0; i < graph->n_params; i++)
        if (graph->params[i].layer >= tail->cut)
            return graph->params[i].offset;
    return graph->n_values;
}

static uint64_t checksum_metrics(void) {
    uint64_t sum = 0;
    int n, epoch;
    const cs_metric_column *columns = cs_metric_columns(&n, &epoch);
    for (int i = 0; i < epoch; i++) {
        const uint64_t pair[] = {sum, cs_checksum(columns[i].name, strlen(columns[i].name))};
        sum = cs_checksum(pair, sizeof pair);
    }
    return sum;
}

static checkpoint_header header_of(const cs_tail *tail) {
    return (checkpoint_header){.magic = magic,
                               .trial = cs_trial_key_of_any_length(tail->config),
                               .dataset = tail->dataset_checksum,
                               .phase = cs_phase_key(tail->config),
                               .all_values = tail->graph->n_values,
                               .initial = tail->initial_checksum,
                               .metrics = checksum_metrics(),
                               .values = tail->graph->n_values - first_value(tail),
                               .arrays = (uint64_t)count_arrays(&tail->config->train.optimizer),
                               .best = tail->best != NULL};
}

/* Writing. */

static cs_status write_block(FILE *file, const char *path, const void *bytes, size_t size) {
    uint64_t sum = cs_checksum(bytes, size);
    if (fwrite(bytes, 1, size, file) != size || fwrite(&sum, sizeof sum, 1, file) != 1)
        return cs_fail_errno("%s: cannot write", path);
    return CS_OK;
}

/* The predictions of the train steps of an epoch that has begun. */
typedef struct predictions_header {
    uint64_t needs, size; /* size 0: there are none, or no metric needs them */
} predictions_header;

static predictions_header predictions_of(const cs_tail *tail) {
    const cs_evaluation *training = tail->training;
    bool any = tail->batch > 0 && training->spec.needs != CS_NEEDS_TALLY;
    return (predictions_header){training->spec.needs, any ? cs_evaluation_size(training) * sizeof(double) : 0};
}

static cs_status write_predictions(FILE *file, const char *path, const cs_tail *tail) {
    predictions_header header = predictions_of(tail);
    CS_TRY(write_block(file, path, &header, sizeof header));
    return header.size > 0 ? write_block(file, path, tail->training->values, header.size) : CS_OK;
}

static cs_status write_tail(FILE *file, const char *path, const cs_tail *tail, float *scratch, bool final) {
    checkpoint_header header = header_of(tail);
    cs_params params = {tail->graph, scratch};
    size_t first = first_value(tail), size = (size_t)header.values * sizeof(float);
    header.final = final;
    CS_TRY(write_block(file, path, &header, sizeof header));
    for (int i = 0; i < N_FIELDS; i++)
        CS_TRY(write_block(file, path, (const char *)tail + fields[i].offset, fields[i].size));
    CS_TRY(write_predictions(file, path, tail));
    for (int i = 0; i < (int)header.arrays; i++) {
        CS_TRY(cs_program_read(tail->train, array_at(&tail->config->train.optimizer, i), &params));
        CS_TRY(write_block(file, path, scratch + first, size));
    }
    if (tail->best)
        CS_TRY(write_block(file, path, tail->best + first, size));
    return final ? write_block(file, path, tail->params->data, tail->graph->n_values * sizeof(float)) : CS_OK;
}

static cs_status write_file(const char *path, const cs_tail *tail, float *scratch, bool final) {
    FILE *file = fopen(path, "wb");
    if (!file)
        return cs_fail_errno("%s: cannot write", path);
    cs_status status = write_tail(file, path, tail, scratch, final);
    if (fclose(file) != 0 && status == CS_OK)
        status = cs_fail_errno("%s: cannot write", path);
    return status == CS_OK ? cs_file_sync(path) : status;
}

/* The new file is written and synced before the current one is renamed to be the previous one. The current one is
 * renamed only if it is known to be complete, because it replaces a previous one that is. */
cs_status cs_checkpoint_write(cs_tail *tail, float *scratch) {
    checkpoint_names names;
    if (!tail->files.checkpoint)
        return CS_OK;
    CS_TRY(name_files(tail->files.checkpoint, &names));
    cs_status status = write_file(names.next, tail, scratch, false);
    if (status == CS_OK && tail->checkpoint_complete && rename(names.path, names.previous) != 0 && errno != ENOENT)
        status = cs_fail_errno("%s: cannot rename to %s", names.path, names.previous);
    if (status == CS_OK)
        status = cs_file_move(names.next, names.path);
    if (status != CS_OK)
        unlink(names.next);
    tail->checkpoint_complete = status == CS_OK;
    return status;
}

cs_status cs_final_state_write(const cs_tail *tail, float *scratch) {
    checkpoint_names names;
    if (!tail->files.end)
        return CS_OK;
    CS_TRY(name_files(tail->files.end, &names));
    cs_status status = write_file(names.next, tail, scratch, true);
    if (status == CS_OK)
        status = cs_file_move(names.next, names.path);
    if (status != CS_OK)
        unlink(names.next);
    return status;
}

/* Reading. */

static cs_status read_block(FILE *file, const char *path, void *bytes, size_t size) {
    uint64_t sum;
    if (fread(bytes, 1, size, file) != size || fread(&sum, sizeof sum, 1, file) != 1)
        return cs_fail(CS_ERR_FORMAT, "%s: checkpoint ends too early", path);
    if (sum != cs_checksum(bytes, size))
        return cs_fail(CS_ERR_FORMAT, "%s: checkpoint is damaged", path);
    return CS_OK;
}

static cs_status read_header(FILE *file, const char *path, const cs_tail *tail) {
    checkpoint_header header, expected = header_of(tail);
    CS_TRY(read_block(file, path, &header, sizeof header));
    if (header.magic != magic)
        return cs_fail(CS_ERR_FORMAT, "%s: not a checkpoint of this version", path);
    const char *other = header.trial != expected.trial       ? "another trial"
                        : header.dataset != expected.dataset ? "another dataset"
                        : header.metrics != expected.metrics ? "a program with other metrics"
                                                             : "other weights before training";
    return memcmp(&header, &expected, sizeof header) == 0 ? CS_OK
                                                          : cs_fail(CS_ERR_FORMAT, "%s: checkpoint of %s", path, other);
}

/* Reads the predictions into `training`, whose rows count only where the rest of the file is loaded too. A run with
 * other metrics has collected something else; it matters only in the middle of an epoch. `tail` has the file's batch.
 */
static cs_status read_predictions(FILE *file, const char *path, const cs_tail *tail) {
    predictions_header header, expected = predictions_of(tail);
    CS_TRY(read_block(file, path, &header, sizeof header));
    if (header.size != expected.size || (header.size > 0 && header.needs != expected.needs))
        return cs_fail(CS_ERR_FORMAT, "%s: checkpoint in the middle of an epoch, with other train.metrics", path);
    return header.size > 0 ? read_block(file, path, tail->training->values, header.size) : CS_OK;
}

static cs_status read_fields(FILE *file, const char *path, cs_tail *tail) {
    for (int i = 0; i < N_FIELDS; i++)
        CS_TRY(read_block(file, path, (char *)tail + fields[i].offset, fields[i].size));
    return CS_OK;
}

/* Reads what follows the header. With `load`, into the tail; without, only checks that it is complete. */
static cs_status read_body(FILE *file, const char *path, cs_tail *tail, float *scratch, bool load) {
    cs_tail seen = *tail;
    cs_params params = {tail->graph, scratch};
    size_t first = first_value(tail), size = (tail->graph->n_values - first) * sizeof(float);
    CS_TRY(read_fields(file, path, load ? tail : &seen));
    CS_TRY(read_predictions(file, path, load ? tail : &seen));
    for (int i = 0; i < count_arrays(&tail->config->train.optimizer); i++) {
        CS_TRY(read_block(file, path, scratch + first, size));
        if (load)
            CS_TRY(cs_program_load(tail->train, array_at(&tail->config->train.optimizer, i), &params));
    }
    if (tail->best) {
        memcpy(scratch, tail->params->data, first * sizeof(float));
        CS_TRY(read_block(file, path, scratch + first, size));
        if (load)
            memcpy(tail->best, scratch, tail->graph->n_values * sizeof(float));
    }
    return CS_OK;
}

static cs_status read_tail(FILE *file, const char *path, cs_tail *tail, float *scratch, bool load) {
    CS_TRY(read_header(file, path, tail));
    CS_TRY(read_body(file, path, tail, scratch, load));
    if (fgetc(file) != EOF)
        return cs_fail(CS_ERR_FORMAT, "%s: checkpoint has bytes after its end", path);
    return CS_OK;
}

/* CS_ERR_NOT_FOUND: there is no such file. */
static cs_status read_file(const char *path, cs_tail *tail, float *scratch, bool load) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return errno == ENOENT ? CS_ERR_NOT_FOUND : cs_fail_errno("%s: cannot open", path);
    cs_status status = read_tail(file, path, tail, scratch, load);
    fclose(file);
    return status;
}

/* A trial that had done all its epochs may have more of them now. */
static void begin_more_epochs(cs_tail *tail) {
    if (tail->ending == CS_ENDED_EPOCHS && tail->epoch - tail->first_epoch < tail->config->train.epochs)
        tail->ending = CS_IN_TRAINING;
}

/* The whole file is checked before any of it is loaded. */
cs_status cs_checkpoint_read(cs_tail *tail, float *scratch) {
    checkpoint_names names;
    bool passed_over = false;
    if (!tail->files.checkpoint)
        return CS_OK;
    CS_TRY(name_files(tail->files.checkpoint, &names));
    tail->initial_checksum = cs_checksum(tail->params->data, tail->graph->n_values * sizeof(float));
    const char *paths[] = {names.path, names.previous};
    for (int i = 0; i < 2; i++) {
        cs_status status = read_file(paths[i], tail, scratch, false);
        if (status == CS_OK) {
            CS_TRY(read_file(paths[i], tail, scratch, true));
            begin_more_epochs(tail);
            tail->checkpoint_complete = i == 0;
            if (!cs_team_leads(tail->team)) /* the sum over the ranks is that of rank 0 */
                cs_evaluation_reset(tail->training);
            cs_log(CS_LOG_INFO, "%s: goes on from epoch %d, %d batches done", paths[i], tail->epoch + 1, tail->batch);
            return cs_tail_sync(tail);
        }
        cs_evaluation_reset(tail->training);
        if (status != CS_ERR_NOT_FOUND) {
            cs_log(CS_LOG_WARN, "%s: passed over", cs_error_last()->text);
            passed_over = true;
        }
    }
    if (passed_over)
        cs_log(CS_LOG_WARN, "%s: no checkpoint to go on from: the trial starts from the beginning", names.path);
    return CS_OK;
}

cs_status cs_checkpoint_remove(const cs_tail *tail) {
    checkpoint_names names;
    if (!tail->files.checkpoint)
        return CS_OK;
    CS_TRY(name_files(tail->files.checkpoint, &names));
    CS_TRY(cs_remove_all(names.next));
    CS_TRY(cs_remove_all(names.previous));
    return cs_remove_all(names.path);
}

/* Final states. */

/* A final state that is being read. */
typedef struct final_state {
    FILE *file;
    const char *path;
    checkpoint_header header;
    bool same_trial; /* that of this trial, which goes on for longer; else that of the phase before */
} final_state;

static cs_status check_final_state(const final_state *state, const cs_tail *tail) {
    checkpoint_header expected = header_of(tail);
    const checkpoint_header *header = &state->header;
    const char *path = state->path;
    if (header->magic != magic || !header->final)
        return cs_fail(CS_ERR_FORMAT, "%s: not a final state of this version", path);
    if (header->dataset != expected.dataset || header->metrics != expected.metrics)
        return cs_fail(CS_ERR_FORMAT, "%s: final state of %s", path,
                       header->dataset != expected.dataset ? "another dataset" : "a program with other metrics");
    bool same_layers = header->all_values == expected.all_values;
    if (state->same_trial)
        same_layers = same_layers && header->values == expected.values && header->arrays == expected.arrays &&
                      header->best == expected.best;
    if (!state->same_trial && header->phase != tail->config->phase.before)
        return cs_fail(CS_ERR_FORMAT, "%s: final state of another trial", path);
    return same_layers ? CS_OK : cs_fail(CS_ERR_FORMAT, "%s: final state of other layers or another optimizer", path);
}

static cs_status open_final_state(const cs_tail *tail, final_state *out) {
    *out = (final_state){.file = fopen(tail->files.start, "rb"), .path = tail->files.start};
    if (!out->file)
        return cs_fail_errno("%s: cannot open", out->path);
    cs_status status = read_block(out->file, out->path, &out->header, sizeof out->header);
    out->same_trial = out->header.trial == cs_trial_key_of_any_length(tail->config);
    if (status == CS_OK)
        status = check_final_state(out, tail);
    if (status != CS_OK)
        fclose(out->file);
    return status;
}

/* Reads the fields of the tail that has ended, behind which the arrays follow: there are no predictions of a step. */
static cs_status read_progress(const final_state *state, cs_tail *ended) {
    predictions_header none;
    CS_TRY(read_fields(state->file, state->path, ended));
    return read_block(state->file, state->path, &none, sizeof none);
}

static cs_status skip_arrays(const final_state *state) {
    const checkpoint_header *header = &state->header;
    uint64_t bytes = (header->arrays + header->best) * (header->values * sizeof(float) + sizeof(uint64_t));
    if (fseeko(state->file, (off_t)bytes, SEEK_CUR) != 0)
        return cs_fail_errno("%s: cannot read", state->path);
    return CS_OK;
}

static cs_status read_values(const final_state *state, cs_tail *tail) {
    cs_tail ended = *tail;
    CS_TRY(read_progress(state, &ended));
    CS_TRY(skip_arrays(state));
    CS_TRY(read_block(state->file, state->path, tail->params->data, tail->graph->n_values * sizeof(float)));
    if (state->same_trial)
        return CS_OK;
    tail->epoch = tail->first_epoch = ended.epoch;
    if (tail->config->phase.keep_optimizer)
        tail->step = tail->first_step = ended.step;
    return CS_OK;
}

cs_status cs_start_read_values(cs_tail *tail) {
    final_state state;
    if (!tail->files.start)
        return CS_OK;
    CS_TRY(open_final_state(tail, &state));
    cs_status status = read_values(&state, tail);
    fclose(state.file);
    return status;
}

/* Loads the states of the optimizer that the phase before had. Layers that were frozen in it have none: theirs are 0.
 */
static cs_status read_optimizer(const final_state *state, cs_tail *tail, float *scratch) {
    const cs_optimizer *optimizer = &tail->config->train.optimizer;
    cs_params params = {tail->graph, scratch};
    size_t n = tail->graph->n_values, first = n - (size_t)state->header.values;
    cs_tail ended = *tail;
    if (state->header.arrays != (uint64_t)count_arrays(optimizer))
        return cs_fail(CS_ERR_FORMAT, "%s: keep_optimizer, but it is of another optimizer", state->path);
    CS_TRY(read_progress(state, &ended));
    memset(scratch, 0, first * sizeof(float));
    for (int i = 0; i < count_arrays(optimizer); i++) {
        CS_TRY(read_block(state->file, state->path, scratch + first, (n - first) * sizeof(float)));
        if (array_at(optimizer, i) != CS_ARRAY_VALUE)
            CS_TRY(cs_program_load(tail->train, array_at(optimizer, i), &params));
    }
    return CS_OK;
}

static cs_status read_longer(const final_state *state, cs_tail *tail, float *scratch) {
    CS_TRY(read_body(state->file, state->path, tail, scratch, true));
    begin_more_epochs(tail);
    return cs_tail_sync(tail);
}

cs_status cs_start_read_states(cs_tail *tail, float *scratch) {
    final_state state;
    cs_status status = CS_OK;
    if (!tail->files.start)
        return CS_OK;
    CS_TRY(open_final_state(tail, &state));
    if (state.same_trial)
        status = read_longer(&state, tail, scratch);
    else if (tail->config->phase.keep_optimizer)
        status = read_optimizer(&state, tail, scratch);
    fclose(state.file);
    return status;
}
