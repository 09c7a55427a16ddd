/* SPDX-License-Identifier: Apache-2.0 */
/* Prepares a group for training: opens data, tails, trunk and programs, and finds where each trial resumes. */
#include "checkpoint.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "extract.h"
#include "group_impl.h"
#include "network.h"

#include <stdlib.h>
#include <string.h>

static bool trains_again(const cs_group *group) {
    bool again = false;
    for (int i = 0; i < group->live.n; i++)
        again |= group->live.items[i]->config->train.epochs > 1;
    return again;
}

/* The largest number of rows of a batch on this rank. */
static int rows_of(const cs_group *group) {
    return cs_loader_part_rows(group->live.items[0]->config->train.batch, cs_team_size(group->team));
}

static cs_loader_config loader_of(const cs_group *group, const cs_graph *graph, const cs_trial_config *trial,
                                  cs_split split) {
    cs_loader_config config = cs_trial_loader(trial, graph, &group->fitted.standardization, split);
    config.features = group->features;
    config.filter_cache = group->filter_cache;
    config.part = cs_team_rank(group->team);
    config.parts = cs_team_size(group->team);
    config.augment = *cs_trial_augment(trial, split);
    return config;
}

/* Opens the train split as the tested weights see it: in the stored order, and with what is done to the images of val.
 */
static cs_status open_plain_train(cs_group *group, const cs_graph *graph, const cs_trial_config *trial) {
    cs_loader_config config = loader_of(group, graph, trial, CS_SPLIT_TRAIN);
    char texts[2][CS_AUGMENT_TEXT];
    cs_augment_text(&trial->augment, texts[0], sizeof texts[0]);
    cs_augment_text(&trial->val_augment, texts[1], sizeof texts[1]);
    config.augment = trial->val_augment;
    if (strcmp(texts[0], texts[1]) == 0) /* else the cache has other pictures */
        cs_trunk_cache_use(&group->cache, &config);
    return cs_feed_open(group->engine, group->dataset, &config, false, &group->plain_train);
}

static cs_status open_feeds(cs_group *group, const cs_graph *graph, const cs_trial_config *trial) {
    bool again = trains_again(group);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        bool training = split == CS_SPLIT_TRAIN;
        cs_loader_config config = loader_of(group, graph, trial, split);
        config.shuffle = training && trial->train.shuffle;
        cs_trunk_cache_use(&group->cache, &config);
        if (training || (cs_dataset_count(group->dataset, split) > 0 && !group->trains_only))
            CS_TRY(cs_feed_open(group->engine, group->dataset, &config, again, &group->feeds[split]));
    }
    if (cs_trial_evaluates(&trial->train, CS_SPLIT_TRAIN))
        CS_TRY(open_plain_train(group, graph, trial));
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        if (cs_trial_evaluates(&trial->train, split))
            group->test_feeds[split] = split == CS_SPLIT_TRAIN ? group->plain_train : group->feeds[split];
    return CS_OK;
}

/* Opens the cache of the trunk's output at its first cut. There is none in mode features, which has no trunk, and none
 * if all trials train for one epoch. */
static cs_status open_cache(cs_group *group) {
    const cs_tail *shallowest = NULL;
    for (int i = 0; i < group->live.n; i++) {
        const cs_tail *tail = group->live.items[i];
        group->cache.all_images |= tail->cut == 0;
        if (tail->cut > 0 && (!shallowest || tail->cut < shallowest->cut))
            shallowest = tail;
    }
    if (group->features || !shallowest || !trains_again(group) ||
        (group->limits.memory == 0 && group->limits.disk == 0))
        return CS_OK;
    size_t width = cs_shape_count(shallowest->graph->layers[shallowest->cut - 1].out);
    return cs_trunk_cache_open(group->engine, &group->limits, group->dataset, shallowest->config, width, rows_of(group),
                               &group->cache);
}

/* Inserts `cut` into the ascending `cuts` [*n], unless it is 0 or already in them. */
static void add_cut(int *cuts, int *n, int cut) {
    int i = 0;
    while (i < *n && cuts[i] < cut)
        i++;
    if (cut == 0 || (i < *n && cuts[i] == cut))
        return;
    memmove(cuts + i + 1, cuts + i, (size_t)(*n - i) * sizeof *cuts);
    cuts[i] = cut;
    ++*n;
}

/* Builds the trunk of all live tails from the network of the tail that begins last. In mode features the trunk is
 * empty, as the features are its output. */
static cs_status build_trunk(cs_group *group) {
    const cs_tail *deepest = group->live.items[0];
    int *cuts, n = 0;
    CS_TRY(cs_alloc((size_t)group->live.n, sizeof *cuts, "cuts", &cuts));
    for (int i = 0; i < group->live.n && !group->features; i++) {
        const cs_tail *tail = group->live.items[i];
        add_cut(cuts, &n, tail->cut);
        if (tail->cut > deepest->cut)
            deepest = tail;
    }
    cs_status status = cs_trunk_build(group->engine, deepest->graph, deepest->params, cuts, n, rows_of(group),
                                      &group->cache, &group->trunk);
    free(cuts);
    return status;
}

/* Trials that share a trunk have the same initial values. The first trial with a given head reads or draws them, and
 * the others copy them. */
static cs_status open_tail(cs_group *group, cs_tail *tail) {
    const cs_params *like = NULL;
    for (const cs_tail *other = group->tails; other < tail && !like; other++)
        if (strcmp(other->config->model.head, tail->config->model.head) == 0)
            like = other->params;
    CS_TRY(cs_team_agree(group->team, cs_tail_open(tail, group->dataset, like)));
    return cs_team_agree(group->team, cs_start_read_values(tail));
}

static cs_status compile_tail(cs_group *group, cs_tail *tail) {
    int steps = cs_loader_batches(cs_feed_loader(group->feeds[CS_SPLIT_TRAIN]));
    CS_TRY(cs_team_agree(group->team, cs_tail_compile(tail, group->engine, group->trunk, steps)));
    return cs_tail_open_exchange(tail, group->engine);
}

/* Calls `prepare_one` for all live tails; those that fail are reported and leave. */
static cs_status prepare_tails(cs_group *group, cs_status (*prepare_one)(cs_group *group, cs_tail *tail)) {
    int kept = 0;
    for (int i = 0; i < group->live.n; i++) {
        cs_tail *tail = group->live.items[i];
        cs_status status = prepare_one(group, tail);
        if (status == CS_OK)
            group->live.items[kept++] = tail;
        else
            CS_TRY(cs_group_report_failure(group, tail, status));
    }
    group->live.n = kept;
    return CS_OK;
}

/* Checks that the ranks of a team, which read the same files, resume at the same position. */
static cs_status check_same_position(const cs_group *group, const cs_tail *tail) {
    double position = (double)tail->step + tail->epoch + (tail->ending != CS_IN_TRAINING), sum = position;
    CS_TRY(cs_team_sum(group->team, &sum, 1));
    if (sum == position * cs_team_size(group->team))
        return CS_OK;
    return cs_hint(
        cs_fail(CS_ERR_IO, "%s: the ranks that train this trial find different checkpoints", tail->files.checkpoint),
        "its folder must be one that all of them share");
}

/* Reads the checkpoints, and decides where each tail resumes: at its test, or when the group reaches its position. */
static cs_status resume_tails(cs_group *group) {
    for (int i = 0; i < group->live.n; i++) {
        cs_tail *tail = group->live.items[i];
        CS_TRY(cs_team_agree(group->team, cs_start_read_states(tail, group->scratch)));
        CS_TRY(cs_team_agree(group->team, cs_checkpoint_read(tail, group->scratch)));
        CS_TRY(cs_team_agree(group->team, check_same_position(group, tail)));
        cs_tail_set *set = tail->ending ? &group->ending : &group->waiting;
        set->items[set->n++] = tail;
    }
    group->live.n = 0;
    return CS_OK;
}

static size_t most_values(const cs_tail_set *set) {
    size_t most = 0;
    for (int i = 0; i < set->n; i++)
        if (set->items[i]->graph->n_values > most)
            most = set->items[i]->graph->n_values;
    return most;
}

/* Computes the standardization, and records it in the networks for the files of their weights. */
static cs_status open_standardization(cs_group *group) {
    const cs_tail *first = group->live.items[0];
    char text[CS_STANDARDIZE_TEXT];
    CS_TRY(cs_fit(first->config, group->dataset, first->graph, group->stop, &group->fitted));
    cs_standardization_text(&group->fitted.standardization, text, sizeof text);
    for (int i = 0; i < group->live.n && text[0]; i++)
        cs_graph_set_standardized(group->live.items[i]->graph, text);
    return CS_OK;
}

/* Opens the source of all tails' batches, and the trunk that they run through. */
static cs_status open_input(cs_group *group) {
    const cs_tail *first = group->live.items[0];
    const cs_base base = {.trial = first->config,
                          .dataset = group->dataset,
                          .graph = first->graph,
                          .params = first->params,
                          .standardization = &group->fitted.standardization,
                          .engine = cs_engine_label(group->engine)};
    CS_TRY(open_standardization(group));
    if (first->config->train.mode == CS_TRAIN_FEATURES)
        CS_TRY(cs_extract(group->engine, &base, group->stop, &group->features));
    if (group->files)
        CS_TRY(cs_alloc(most_values(&group->live), sizeof(float), "checkpoint", &group->scratch));
    CS_TRY(open_cache(group));
    CS_TRY(open_feeds(group, first->graph, first->config));
    return build_trunk(group);
}

/* It is known before training what an augmentation makes of the images: of those of the network's size, or, if it
 * changes their size, of those that are stored, where all have one size and no filter crops them. */
static cs_status check_augmented_size(const cs_dataset *dataset, const cs_trial_config *trial) {
    const int *input = trial->data.image;
    int stored[2];
    cs_dataset_image_size(dataset, &stored[0], &stored[1]);
    const bool is_known = stored[0] > 0 && !cs_filter_crops(&trial->data.filter);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        const cs_augment *augment = cs_trial_augment(trial, split);
        const bool as_stored = cs_augment_resizes(augment);
        const int *size = as_stored ? stored : input;
        cs_status status = CS_OK;
        if (is_known || !as_stored)
            status = cs_augment_check_size(augment, size[0], size[1], input[0], input[1]);
        if (status != CS_OK)
            return cs_context(status, "%s images", cs_split_name(split));
    }
    return CS_OK;
}

cs_status cs_trial_resolve_image(const cs_dataset *dataset, cs_trial_config *trial) {
    if (trial->data.image[0] == 0)
        cs_dataset_image_size(dataset, &trial->data.image[0], &trial->data.image[1]);
    if (trial->data.image[0] == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: images keep their own sizes", trial->data.path),
                       "give data.image: [height, width]");
    return check_augmented_size(dataset, trial);
}

static void log_unvalidated(const cs_group *group, const cs_trial_config *trials) {
    for (int i = 0; i < group->n; i++)
        if (cs_dataset_count(group->dataset, CS_SPLIT_VAL) == 0 && trials[i].train.patience > 0) {
            cs_log(CS_LOG_WARN, "%s has no val split: early stopping watches the train split", trials[i].data.path);
            return;
        }
}

static void log_augmented_evaluation(const cs_trial_config *trial) {
    if (cs_augment_variants(&trial->val_augment) != 1)
        cs_log(CS_LOG_WARN,
               "data.val_augment: val and test images are changed at random, too: their metrics are not those of the "
               "images themselves");
}

/* Every trial of the group has evaluations of its own. */
static void add_optional_needs(cs_group *group) {
    int64_t of_row = (int64_t)group->n * cs_dataset_class_count(group->dataset);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++)
        if (cs_dataset_count(group->dataset, split) <= group->optional_values / of_row)
            group->needs[split] |= group->optional_needs[split];
}

/* Opens the dataset, and the fold that the trials have in common. As with the weights, its checksum ensures that every
 * rank trains on what rank 0 planned with. */
static cs_status open_data(cs_group *group, cs_trial_config *trials) {
    size_t n = (size_t)group->n;
    const cs_folds folds = cs_trial_folds(&trials[0]);
    CS_TRY(cs_dataset_open(trials[0].data.path, &group->stored));
    CS_TRY(cs_trial_check_data(&trials[0], group->stored));
    CS_TRY(cs_dataset_open_fold(group->stored, &folds, &group->dataset));
    add_optional_needs(group);
    CS_TRY(cs_alloc(n, sizeof *group->tails, "tails", &group->tails));
    CS_TRY(cs_alloc(n, sizeof *group->evaluated, "tails", &group->evaluated));
    CS_TRY(cs_alloc(n, sizeof(cs_tail *), "tails", &group->waiting.items));
    CS_TRY(cs_alloc(n, sizeof(cs_tail *), "tails", &group->live.items));
    CS_TRY(cs_alloc(n, sizeof(cs_tail *), "tails", &group->ending.items));
    log_unvalidated(group, trials);
    log_augmented_evaluation(&trials[0]);
    for (int i = 0; i < group->n; i++) {
        CS_TRY(cs_trial_resolve_image(group->dataset, &trials[i]));
        group->tails[i] = (cs_tail){.trial = i,
                                    .config = &trials[i],
                                    .team = group->team,
                                    .needs = group->needs,
                                    .files = group->files ? group->files[i] : (cs_trial_files){0},
                                    .dataset_checksum = cs_dataset_checksum(group->dataset)};
        group->live.items[group->live.n++] = &group->tails[i];
    }
    return CS_OK;
}

cs_status cs_group_open(cs_group *group, cs_trial_config *trials) {
    CS_TRY(cs_team_agree(group->team, open_data(group, trials)));
    CS_TRY(prepare_tails(group, open_tail));
    if (group->live.n == 0)
        return CS_OK;
    CS_TRY(cs_team_agree(group->team, open_input(group)));
    CS_TRY(prepare_tails(group, compile_tail));
    return resume_tails(group);
}

void cs_group_close(cs_group *group) {
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        cs_feed_close(group->feeds[split]);
    cs_feed_close(group->plain_train);
    for (int i = 0; group->tails && i < group->n; i++)
        cs_tail_close(&group->tails[i]);
    cs_trunk_free(group->trunk);
    cs_trunk_cache_close(&group->cache);
    cs_features_close(group->features);
    cs_fitted_close(&group->fitted);
    free(group->scratch);
    free(group->tails);
    free(group->evaluated);
    free(group->waiting.items);
    free(group->live.items);
    free(group->ending.items);
    cs_dataset_close(group->dataset);
    cs_dataset_close(group->stored);
    cs_team_close(group->team);
}
