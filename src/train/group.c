/* The group trainer: one batch stream, one trunk, a tail a trial.
 *
 * An epoch is a pass over the train split, then one over the val split for all tails that are still live. Tails that
 * end (last epoch, early stopping) or fail leave; those that ended make one pass over the test split together. A tail
 * that goes on from a checkpoint waits until the stream comes to where it stands. */
#include "cache.h"
#include "checkpoint.h"
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/train.h"
#include "extract.h"
#include "network.h"
#include "tail.h"

#include <stdlib.h>
#include <string.h>

typedef struct tail_set {
    cs_tail **items;
    int n;
} tail_set;

typedef struct cs_group {
    cs_engine *engine;
    cs_train_events events;
    const volatile sig_atomic_t *stop;
    cs_team *team; /* NULL: this rank alone */
    cs_dataset *dataset;
    cs_features *features;          /* mode features; else NULL */
    cs_feed *feeds[CS_SPLIT_COUNT]; /* NULL where the split is empty */
    cs_cache_limits limits;
    cs_trunk_cache cache;
    cs_trunk *trunk;
    cs_tail *tails;
    int n;
    tail_set waiting, live, ending; /* a tail is in one of them at most */
    unsigned test_needs;            /* of the listener */
    const char *const *checkpoints; /* a file a tail, or NULL */
    bool keeps;                     /* this rank writes them */
    double keep_every, kept;        /* seconds; when they were written last */
    float *scratch;                 /* for them: a float for every value of the largest network */
} cs_group;

/* What is over needs no checkpoint any more. */
static cs_status discard_checkpoint(const cs_group *group, const cs_tail *tail) {
    return group->keeps ? cs_checkpoint_remove(tail) : CS_OK;
}

static cs_status tell_failure(const cs_group *group, const cs_tail *tail, cs_status status) {
    if (!cs_team_leads(group->team))
        return CS_OK;
    CS_TRY(group->events.failed(group->events.context, tail->trial, status));
    return discard_checkpoint(group, tail);
}

/* The trial leaves; the group stops only when nobody listens for failures, or the listener says so. */
static cs_status report_failure(const cs_group *group, const cs_tail *tail, cs_status status) {
    if (status == CS_ERR_COMM || !group->events.failed)
        return status;
    return cs_team_agree(group->team, tell_failure(group, tail, status));
}

/* All who are under way, as they stand. */
static cs_status write_checkpoints(cs_group *group) {
    const tail_set *sets[] = {&group->live, &group->ending};
    for (int s = 0; s < 2 && group->keeps; s++)
        for (int i = 0; i < sets[s]->n; i++)
            CS_TRY(cs_checkpoint_write(sets[s]->items[i], group->scratch));
    group->kept = cs_now();
    return CS_OK;
}

/* At the end of an epoch. */
static cs_status keep_in_time(cs_group *group) {
    bool due = cs_now() - group->kept >= group->keep_every;
    return cs_team_agree(group->team, due ? write_checkpoints(group) : CS_OK);
}

/* After a batch. Ranks of a team stop behind the same training step, which told them. */
static cs_status check_stop(cs_group *group) {
    static const volatile sig_atomic_t yes = 1;
    const volatile sig_atomic_t *stop = group->stop;
    if (group->team)
        stop = group->team->stopping ? &yes : NULL;
    if (stop && *stop)
        CS_TRY(cs_team_agree(group->team, write_checkpoints(group)));
    return cs_check_stop(stop);
}

static int deepest_cut(const tail_set *set) {
    int cut = 0;
    for (int i = 0; i < set->n; i++)
        if (set->items[i]->cut > cut)
            cut = set->items[i]->cut;
    return cut;
}

/* The next batch, or this rank's part of it, through the trunk. */
static cs_status make_batch(cs_group *group, cs_feed *feed, const tail_set *set, cs_batch *batch) {
    CS_TRY(cs_feed_next(feed, batch));
    return batch->n > 0 ? cs_trunk_forward(group->trunk, deepest_cut(set), feed, batch) : CS_OK;
}

/* One batch: loaded, through the trunk, then through every tail of the set. Tails that fail leave the set. In a team
 * a training step is made also with no rows: there the other ranks hear why. */
static cs_status run_batch(cs_group *group, cs_split split, tail_set *set) {
    static const int64_t no_samples[1] = {0};
    cs_feed *feed = group->feeds[split];
    const cs_loader *loader = cs_feed_loader(feed);
    double start = cs_now(), stall = cs_loader_stall(loader);
    bool together = group->team && split == CS_SPLIT_TRAIN;
    cs_batch batch;
    cs_status made = make_batch(group, feed, set, &batch);
    if (!together)
        CS_TRY(made);
    else if (made != CS_OK)
        batch = (cs_batch){.samples = no_samples};
    if (together)
        group->team->made = made;
    stall = (cs_loader_stall(loader) - stall) / set->n;
    double shared = (cs_now() - start) / set->n;
    int kept = 0;
    for (int i = 0; i < set->n; i++) {
        cs_tail *tail = set->items[i];
        cs_effort *effort = &tail->effort[split];
        double begun = cs_now();
        cs_status status = cs_tail_run(tail, split, feed, &batch);
        effort->seconds += shared + cs_now() - begun;
        effort->stall += stall;
        effort->images += together ? batch.n_global : batch.n;
        effort->rows += batch.n;
        effort->reused += tail->cut > 0 ? batch.n - batch.missing : 0;
        if (status == CS_OK)
            set->items[kept++] = tail;
        else if (group->team && (!together || group->team->broken))
            return status;
        else
            CS_TRY(report_failure(group, tail, status));
    }
    set->n = kept;
    return CS_OK;
}

/* At its trial's place: who listens to epochs may judge one by those before it, whichever came back first. */
static void insert_tail(tail_set *set, cs_tail *tail) {
    int at = set->n++;
    for (; at > 0 && set->items[at - 1]->trial > tail->trial; at--)
        set->items[at] = set->items[at - 1];
    set->items[at] = tail;
}

/* Lets those tails take part whose place the stream has come to. */
static void admit(cs_group *group, int epoch, int batch) {
    tail_set *waiting = &group->waiting;
    int kept = 0;
    for (int i = 0; i < waiting->n; i++) {
        cs_tail *tail = waiting->items[i];
        if (tail->epoch == epoch && tail->batch == batch)
            insert_tail(&group->live, tail);
        else
            waiting->items[kept++] = tail;
    }
    waiting->n = kept;
}

static cs_status sync_tails(const cs_group *group) {
    for (int i = 0; i < group->live.n; i++)
        CS_TRY(cs_tail_sync(group->live.items[i]));
    return CS_OK;
}

/* An epoch from its batch `first` on: a training step a batch, then the weights go where they are evaluated. */
static cs_status run_epoch(cs_group *group, int epoch, int first) {
    cs_loader *loader = cs_feed_loader(group->feeds[CS_SPLIT_TRAIN]);
    int batches = cs_loader_batches(loader);
    CS_TRY(cs_loader_start(loader, epoch, first));
    admit(group, epoch, first);
    for (int i = first; i < batches && group->live.n > 0; i++) {
        CS_TRY(run_batch(group, CS_SPLIT_TRAIN, &group->live));
        if (group->events.step && cs_team_leads(group->team))
            group->events.step(group->events.context, epoch, i + 1, batches);
        CS_TRY(check_stop(group));
        admit(group, epoch, i + 1);
    }
    return cs_team_agree(group->team, sync_tails(group));
}

static cs_status evaluate_rows(cs_group *group, cs_split split, tail_set *set) {
    cs_loader *loader = cs_feed_loader(group->feeds[split]);
    for (int i = 0; i < set->n; i++)
        cs_tail_begin(set->items[i], split);
    CS_TRY(cs_loader_start(loader, 0, 0));
    for (int i = cs_loader_batches(loader); i > 0 && set->n > 0; i--) {
        CS_TRY(run_batch(group, split, set));
        CS_TRY(check_stop(group));
    }
    return CS_OK;
}

/* One pass of the set through val or test; nothing where the split is empty. The ranks of a team go through parts of
 * their own, and add up at the end. */
static cs_status evaluate(cs_group *group, cs_split split, tail_set *set) {
    if (!group->feeds[split] || set->n == 0)
        return CS_OK;
    CS_TRY(cs_team_agree(group->team, evaluate_rows(group, split, set)));
    int kept = 0;
    for (int i = 0; i < set->n; i++) {
        cs_tail *tail = set->items[i];
        cs_status status = cs_tail_share(tail, split);
        if (status == CS_OK)
            set->items[kept++] = tail;
        else
            CS_TRY(report_failure(group, tail, status));
    }
    set->n = kept;
    return CS_OK;
}

/* The verdict on an epoch is the listener's of rank 0. */
static cs_status report_epoch(const cs_group *group, cs_tail *tail, const cs_epoch_row *row) {
    const cs_train_events *events = &group->events;
    bool enough = false, told = events->epoch && cs_team_leads(group->team);
    CS_TRY(cs_team_agree(group->team, told ? events->epoch(events->context, tail->trial, row, &enough) : CS_OK));
    double verdict = enough;
    CS_TRY(cs_team_sum(group->team, &verdict, 1));
    tail->ended = tail->ended || verdict > 0;
    return CS_OK;
}

/* Reports the epoch of every live tail and moves those that are done to `ending`. */
static cs_status end_epoch(cs_group *group) {
    tail_set *live = &group->live, *ending = &group->ending;
    int kept = 0;
    for (int i = 0; i < live->n; i++) {
        cs_tail *tail = live->items[i];
        cs_epoch_row row;
        cs_tail_end_epoch(tail, &row);
        CS_TRY(report_epoch(group, tail, &row));
        if (tail->ended)
            ending->items[ending->n++] = tail;
        else
            live->items[kept++] = tail;
    }
    live->n = kept;
    return CS_OK;
}

static cs_status restore_tails(const cs_group *group) {
    for (int i = 0; i < group->ending.n; i++)
        CS_TRY(cs_tail_restore(group->ending.items[i]));
    return CS_OK;
}

static cs_status tell_finished(const cs_group *group, const cs_tail *tail) {
    cs_trial_result result;
    if (!cs_team_leads(group->team))
        return CS_OK;
    cs_tail_result(tail, group->trunk, &result);
    if (group->events.finished)
        CS_TRY(group->events.finished(group->events.context, tail->trial, &result,
                                      group->feeds[CS_SPLIT_TEST] ? tail->evaluation[CS_SPLIT_TEST] : NULL,
                                      tail->params));
    return discard_checkpoint(group, tail);
}

/* Tests the tails that ended, with their best weights, and reports them. */
static cs_status finish(cs_group *group) {
    tail_set *ending = &group->ending;
    CS_TRY(cs_team_agree(group->team, restore_tails(group)));
    CS_TRY(evaluate(group, CS_SPLIT_TEST, ending));
    for (int i = 0; i < ending->n; i++)
        CS_TRY(cs_team_agree(group->team, tell_finished(group, ending->items[i])));
    ending->n = 0;
    return CS_OK;
}

/* The earliest place where one of the set stands. */
static const cs_tail *hindmost(const tail_set *set) {
    const cs_tail *found = set->items[0];
    for (int i = 1; i < set->n; i++) {
        const cs_tail *tail = set->items[i];
        if (tail->epoch < found->epoch || (tail->epoch == found->epoch && tail->batch < found->batch))
            found = tail;
    }
    return found;
}

/* The stream begins where the hindmost tail stands, and does so again when none is left but some that wait. */
static cs_status train(cs_group *group) {
    int epoch = 0, first = 0;
    CS_TRY(finish(group));
    while (group->live.n + group->waiting.n > 0) {
        if (group->live.n == 0) {
            const cs_tail *next = hindmost(&group->waiting);
            epoch = next->epoch;
            first = next->batch;
        }
        CS_TRY(run_epoch(group, epoch, first));
        CS_TRY(evaluate(group, CS_SPLIT_VAL, &group->live));
        CS_TRY(end_epoch(group));
        CS_TRY(keep_in_time(group));
        CS_TRY(finish(group));
        epoch++;
        first = 0;
    }
    return CS_OK;
}

static bool trains_again(const cs_group *group) {
    bool again = false;
    for (int i = 0; i < group->live.n; i++)
        again |= group->live.items[i]->config->train.epochs > 1;
    return again;
}

/* The most rows of a batch on this rank. */
static int rows_of(const cs_group *group) {
    return cs_loader_part_rows(group->live.items[0]->config->train.batch, cs_team_size(group->team));
}

static cs_status open_feeds(cs_group *group, const cs_graph *graph, const cs_trial_config *trial) {
    bool again = trains_again(group);
    for (cs_split split = 0; split < CS_SPLIT_COUNT; split++) {
        bool training = split == CS_SPLIT_TRAIN;
        cs_loader_config config = cs_trial_loader(trial, graph, split);
        config.features = group->features;
        config.part = cs_team_rank(group->team);
        config.parts = cs_team_size(group->team);
        config.shuffle = training && trial->train.shuffle;
        if (training)
            config.augment = trial->augment;
        cs_trunk_cache_use(&group->cache, &config);
        if (training || cs_dataset_count(group->dataset, split) > 0)
            CS_TRY(cs_feed_open(group->engine, group->dataset, &config, again, &group->feeds[split]));
    }
    return CS_OK;
}

/* The cache of what the trunk gives to the tails that begin first. None in mode features, where there is no trunk, nor
 * where one epoch is all. */
static cs_status open_cache(cs_group *group) {
    const cs_tail *shallowest = NULL;
    for (int i = 0; i < group->live.n; i++) {
        const cs_tail *tail = group->live.items[i];
        group->cache.whole |= tail->cut == 0;
        if (tail->cut > 0 && (!shallowest || tail->cut < shallowest->cut))
            shallowest = tail;
    }
    if (group->features || !shallowest || !trains_again(group) ||
        (group->limits.memory == 0 && group->limits.disk == 0))
        return CS_OK;
    size_t width = cs_shape_count(shallowest->graph->layers[shallowest->cut - 1].out);
    return cs_trunk_cache_open(group->engine, &group->limits, group->dataset, &shallowest->config->augment, width,
                               rows_of(group), &group->cache);
}

/* Inserts `cut` into the ascending `cuts` [*n] unless it is there or 0. */
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

/* The trunk of all live tails, from the network of the one that begins last; features are what it would give. */
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

/* Trials that share begin with the same values: the first of a network to be opened reads or draws them for all. */
static cs_status open_tail(cs_group *group, cs_tail *tail) {
    const cs_params *like = NULL;
    for (const cs_tail *other = group->tails; other < tail && !like; other++)
        if (strcmp(other->config->model.head, tail->config->model.head) == 0)
            like = other->params;
    return cs_team_agree(group->team, cs_tail_open(tail, group->dataset, like));
}

static cs_status compile_tail(cs_group *group, cs_tail *tail) {
    CS_TRY(cs_team_agree(group->team, cs_tail_compile(tail, group->engine, group->trunk)));
    return cs_tail_join(tail, group->engine);
}

/* Those that fail are reported and left out. */
static cs_status prepare_tails(cs_group *group, cs_status (*prepare_one)(cs_group *group, cs_tail *tail)) {
    int kept = 0;
    for (int i = 0; i < group->live.n; i++) {
        cs_tail *tail = group->live.items[i];
        cs_status status = prepare_one(group, tail);
        if (status == CS_OK)
            group->live.items[kept++] = tail;
        else
            CS_TRY(report_failure(group, tail, status));
    }
    group->live.n = kept;
    return CS_OK;
}

/* The ranks of a team read the same files, and find the same. */
static cs_status check_place(const cs_group *group, const cs_tail *tail) {
    double place = (double)tail->step + tail->epoch + tail->ended, sum = place;
    CS_TRY(cs_team_sum(group->team, &sum, 1));
    if (sum == place * cs_team_size(group->team))
        return CS_OK;
    return cs_hint(
        cs_fail(CS_ERR_IO, "%s: the ranks that train this trial find different checkpoints", tail->checkpoint),
        "its folder must be one that all of them share");
}

/* Where each goes on: at its test, or when the stream comes to its place. */
static cs_status place_tails(cs_group *group) {
    for (int i = 0; i < group->live.n; i++) {
        cs_tail *tail = group->live.items[i];
        CS_TRY(cs_team_agree(group->team, cs_checkpoint_read(tail, group->scratch)));
        CS_TRY(cs_team_agree(group->team, check_place(group, tail)));
        tail_set *set = tail->ended ? &group->ending : &group->waiting;
        set->items[set->n++] = tail;
    }
    group->live.n = 0;
    return CS_OK;
}

static size_t most_values(const tail_set *set) {
    size_t most = 0;
    for (int i = 0; i < set->n; i++)
        if (set->items[i]->graph->n_values > most)
            most = set->items[i]->graph->n_values;
    return most;
}

/* The batches of all tails, and the trunk they go through. */
static cs_status open_stream(cs_group *group) {
    const cs_tail *first = group->live.items[0];
    const cs_base base = {first->config, group->dataset, first->graph, first->params, cs_engine_label(group->engine)};
    if (first->config->train.mode == CS_TRAIN_FEATURES)
        CS_TRY(cs_extract(group->engine, &base, group->stop, &group->features));
    if (group->checkpoints)
        CS_TRY(cs_alloc(most_values(&group->live), sizeof(float), "checkpoint", &group->scratch));
    CS_TRY(open_cache(group));
    CS_TRY(open_feeds(group, first->graph, first->config));
    return build_trunk(group);
}

static cs_status prepare(cs_group *group) {
    CS_TRY(prepare_tails(group, open_tail));
    if (group->live.n == 0)
        return CS_OK;
    CS_TRY(cs_team_agree(group->team, open_stream(group)));
    CS_TRY(prepare_tails(group, compile_tail));
    return place_tails(group);
}

cs_status cs_trial_resolve_image(const cs_dataset *dataset, cs_trial_config *trial) {
    if (trial->data.image[0] == 0)
        cs_dataset_image_size(dataset, &trial->data.image[0], &trial->data.image[1]);
    if (trial->data.image[0] == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: images keep their own sizes", trial->data.path),
                       "give data.image: [height, width]");
    return CS_OK;
}

static void log_unvalidated(const cs_group *group, const cs_trial_config *trials) {
    for (int i = 0; i < group->n; i++)
        if (cs_dataset_count(group->dataset, CS_SPLIT_VAL) == 0 && trials[i].train.patience > 0) {
            cs_log(CS_LOG_WARN, "%s has no val split: early stopping watches the train split", trials[i].data.path);
            return;
        }
}

static cs_status check_trials(const cs_trial_config *trials, int n) {
    if (n < 1)
        return cs_fail(CS_ERR_ARG, "a group of %d trials", n);
    if (trials[0].train.batch < 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "train.batch is %d", trials[0].train.batch), "use 1 or more");
    for (int i = 1; i < n; i++)
        if (!cs_trials_can_share(&trials[0], &trials[i]))
            return cs_hint(
                cs_fail(CS_ERR_ARG, "trials 0 and %d of a group do not share their trunk and batches", i),
                "they may differ in optimizer, epochs, early stopping, the head behind gap or flatten and, but for "
                "mode features, fine_tune");
    return CS_OK;
}

/* As with weights: what rank 0 planned with is what every rank trains on. */
static cs_status open_data(cs_group *group, cs_trial_config *trials) {
    size_t n = (size_t)group->n;
    CS_TRY(cs_dataset_open(trials[0].data.path, &group->dataset));
    CS_TRY(cs_trial_check_data(&trials[0], group->dataset));
    CS_TRY(cs_alloc(n, sizeof *group->tails, "tails", &group->tails));
    CS_TRY(cs_alloc(n, sizeof(cs_tail *), "tails", &group->waiting.items));
    CS_TRY(cs_alloc(n, sizeof(cs_tail *), "tails", &group->live.items));
    CS_TRY(cs_alloc(n, sizeof(cs_tail *), "tails", &group->ending.items));
    log_unvalidated(group, trials);
    for (int i = 0; i < group->n; i++) {
        CS_TRY(cs_trial_resolve_image(group->dataset, &trials[i]));
        group->tails[i] = (cs_tail){.trial = i,
                                    .config = &trials[i],
                                    .team = group->team,
                                    .test_needs = group->test_needs,
                                    .checkpoint = group->checkpoints ? group->checkpoints[i] : NULL,
                                    .dataset_checksum = cs_dataset_checksum(group->dataset)};
        group->live.items[group->live.n++] = &group->tails[i];
    }
    return CS_OK;
}

static void close_group(cs_group *group) {
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        cs_feed_close(group->feeds[split]);
    for (int i = 0; group->tails && i < group->n; i++)
        cs_tail_close(&group->tails[i]);
    cs_trunk_free(group->trunk);
    cs_trunk_cache_close(&group->cache);
    cs_features_close(group->features);
    free(group->scratch);
    free(group->tails);
    free(group->waiting.items);
    free(group->live.items);
    free(group->ending.items);
    cs_dataset_close(group->dataset);
    cs_team_close(group->team);
}

cs_status cs_group_train(cs_engine *engine, const cs_group_config *config) {
    cs_trial_config *own; /* image sizes are filled in */
    cs_group group = {.engine = engine,
                      .stop = config->stop,
                      .limits = config->cache,
                      .n = config->n,
                      .test_needs = config->test_needs,
                      .checkpoints = config->checkpoints,
                      .keeps = config->checkpoints && (!config->comm || config->comm->rank == 0),
                      .keep_every = config->checkpoint_seconds,
                      .kept = cs_now()};
    CS_TRY(check_trials(config->trials, config->n));
    CS_TRY(cs_alloc((size_t)config->n, sizeof *own, "trials", &own));
    memcpy(own, config->trials, (size_t)config->n * sizeof *own);
    if (config->events)
        group.events = *config->events;
    cs_status status = cs_team_open(config->comm, config->stop, &group.team);
    if (status == CS_OK)
        status = cs_team_agree(group.team, open_data(&group, own));
    if (status == CS_OK)
        status = prepare(&group);
    if (status == CS_OK)
        status = train(&group);
    close_group(&group);
    free(own);
    return status;
}
