/* SPDX-License-Identifier: Apache-2.0 */
/* Compares trials by their options; the rows of the options (option.h) say what depends on each. */
#include "cnnsweep/config.h"
#include "cnnsweep/file.h"

#include <stdlib.h>
#include <string.h>

/* The version of what is hashed and how. A change of either changes every key. Then this number and CS_JOURNAL_FORMAT
 * must go up, so that results of an earlier version are refused and not taken for other trials. */
enum { KEY_VERSION = 2 };

/* The largest text of an option or of an augmentation. */
enum { TEXT_MAX = CS_VALUE_MAX * 4 > CS_AUGMENT_TEXT ? CS_VALUE_MAX * 4 : CS_AUGMENT_TEXT };

/* Everything on which the results of a trial depend. */
enum {
    AFFECTS_RESULTS = CS_AFFECTS_GRAPH | CS_AFFECTS_HEAD | CS_AFFECTS_RATES | CS_AFFECTS_FROZEN | CS_AFFECTS_MODE |
                      CS_AFFECTS_BATCHES | CS_AFFECTS_SPLITS | CS_AFFECTS_TRAINING
};

static uint64_t mix(uint64_t key, uint64_t hash) {
    const uint64_t pair[] = {key, hash};
    return cs_checksum(pair, sizeof pair);
}

static uint64_t hash_text(const char *text) {
    return cs_checksum(text, strlen(text));
}

/* Writes the text that identifies the option's value. Returns whether that is the default. */
static bool identify_value(const cs_option *option, const cs_trial_config *trial, char *text, size_t size) {
    if (!option->identity) {
        cs_option_get(option, trial, text, size);
        return strcmp(text, option->fallback) == 0 || (option->key_default && strcmp(text, option->key_default) == 0);
    }
    option->identity(trial, text, size);
    return !text[0];
}

/* The hashes of the options are added, so that a key does not depend on their order in the table. */
static uint64_t hash_options(const cs_trial_config *trial, unsigned affects) {
    uint64_t sum = 0;
    char text[TEXT_MAX];
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        if (options[i].affects & affects && !identify_value(&options[i], trial, text, sizeof text))
            sum += mix(hash_text(options[i].key), hash_text(text));
    return mix(KEY_VERSION, sum);
}

static bool has_same_value(const cs_option *option, const cs_trial_config *a, const cs_trial_config *b) {
    char texts[2][TEXT_MAX];
    identify_value(option, a, texts[0], sizeof texts[0]);
    identify_value(option, b, texts[1], sizeof texts[1]);
    return strcmp(texts[0], texts[1]) == 0;
}

static bool agree_in(const cs_trial_config *a, const cs_trial_config *b, unsigned affects) {
    size_t n;
    const cs_option *options = cs_options(&n);
    for (size_t i = 0; i < n; i++)
        if (options[i].affects & affects && !has_same_value(&options[i], a, b))
            return false;
    return true;
}

/* A first phase has the key of a trial without phases. */
static uint64_t mix_phase(const cs_phase *phase, uint64_t key) {
    return phase->before == 0 ? key : mix(mix(key, phase->before), phase->keep_optimizer);
}

uint64_t cs_trial_key(const cs_trial_config *trial) {
    return mix_phase(&trial->phase, hash_options(trial, AFFECTS_RESULTS));
}

uint64_t cs_trial_key_of_any_length(const cs_trial_config *trial) {
    cs_trial_config any = *trial;
    any.train.epochs = 0;
    return cs_trial_key(&any);
}

uint64_t cs_phase_key(const cs_trial_config *trial) {
    return mix_phase(&trial->phase, hash_options(trial, AFFECTS_RESULTS & ~(unsigned)CS_AFFECTS_GRAPH));
}

bool cs_option_is_of_phase(const cs_option *option) {
    const unsigned of_phase = CS_AFFECTS_RATES | CS_AFFECTS_FROZEN | CS_AFFECTS_BATCHES | CS_AFFECTS_TRAINING;
    return option->affects & of_phase && !(option->affects & ~of_phase);
}

bool cs_same_network(const cs_trial_config *a, const cs_trial_config *b) {
    return agree_in(a, b, CS_AFFECTS_GRAPH | CS_AFFECTS_HEAD | CS_AFFECTS_RATES);
}

/* Features are the outputs of one particular layer, so that trials that train on them must freeze the same layers. A
 * dropout's rate counts too, as the trunk may end at a dropout. */
static unsigned shared_affects(const cs_trial_config *trial) {
    unsigned affects = CS_AFFECTS_GRAPH | CS_AFFECTS_BATCHES | CS_AFFECTS_SPLITS | CS_AFFECTS_MODE | CS_AFFECTS_PATHS;
    return trial->train.mode == CS_TRAIN_FEATURES ? affects | CS_AFFECTS_FROZEN | CS_AFFECTS_RATES : affects;
}

static int find_dense(const cs_head_spec *head) {
    int first = 0;
    while (first < head->n && head->layers[first].kind != CS_HEAD_DENSE)
        first++;
    return first;
}

/* Are all dense layers of the head trained, whatever else is? `dense` is the index of the first. */
static bool head_trains(const cs_trial_config *trial, const cs_head_spec *head, int dense) {
    static const char *const names[] = {"dense", "dropout", "flatten", "global_average_pooling2d"};
    const char *fine_tune = trial->fine_tune;
    if (fine_tune[0] && fine_tune[strspn(fine_tune, "0123456789")] == '\0') {
        /* A number counts layers from the end, so that with heads of different lengths it would give features of
         * different layers. */
        return trial->train.mode != CS_TRAIN_FEATURES && strtol(fine_tune, NULL, 10) >= head->n - dense;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(fine_tune, names[i], strlen(names[i])) == 0)
            return false;
    return true;
}

/* The length of the part of the head's text that trials of a group must have in common. It ends with the last gap or
 * flatten (any layer that is no dropout) before the first dense layer. After it the trunk ends, or continues with
 * dropouts that drop nothing. A head that is no list, or that has a frozen dense layer, must be in common as a whole.
 */
static int shared_head(const cs_trial_config *trial) {
    cs_head_spec head;
    int shared = 0;
    bool parsed = cs_head_parse(trial->model.head, &head) == CS_OK;
    int dense = parsed ? find_dense(&head) : 0;
    if (!parsed || dense == head.n || !head_trains(trial, &head, dense))
        return (int)strlen(trial->model.head);
    for (int i = 0; i < dense; i++)
        if (head.layers[i].kind != CS_HEAD_DROPOUT)
            shared = head.layers[i].end;
    return shared;
}

bool cs_trials_can_share(const cs_trial_config *a, const cs_trial_config *b) {
    int head = shared_head(a);
    return agree_in(a, b, shared_affects(a)) && a->phase.before == b->phase.before && head == shared_head(b) &&
           memcmp(a->model.head, b->model.head, (size_t)head) == 0;
}

uint64_t cs_trial_share_key(const cs_trial_config *trial) {
    uint64_t key = mix(hash_options(trial, shared_affects(trial) & ~(unsigned)CS_AFFECTS_PATHS),
                       cs_checksum(trial->model.head, (size_t)shared_head(trial)));
    return trial->phase.before == 0 ? key : mix(key, trial->phase.before);
}

/* A dropout's rate does not change the work, but the trunk may end at a dropout whose rate is not 0. */
uint64_t cs_trial_work_key(const cs_trial_config *trial) {
    return mix(hash_options(trial, CS_AFFECTS_GRAPH | CS_AFFECTS_HEAD | CS_AFFECTS_FROZEN | CS_AFFECTS_MODE |
                                       CS_AFFECTS_PATHS),
               trial->model.dropout > 0);
}
