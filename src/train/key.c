/* What trials have in common, field by field, since what lies between the fields in memory is anything. */
#include "cnnsweep/cost.h"
#include "cnnsweep/file.h"
#include "cnnsweep/train.h"

#include <stdlib.h>
#include <string.h>

/* What depends on a field. */
enum {
    GRAPH = 1,     /* the layers, and what they hold before training */
    RATES = 2,     /* what layers of the head do while they train; never what is frozen */
    DEPTH = 4,     /* what is frozen */
    MODE = 8,      /* whether the trunk runs in every epoch */
    BATCHES = 16,  /* which pixels come when */
    TRAINING = 32, /* how the tail learns from them */
    PLACE = 64,    /* where dataset and features lie: no numbers */
    HEAD = 128,    /* the layers on top, which may differ in a group behind those that are in the trunk */
    NUMBERS = GRAPH | HEAD | RATES | DEPTH | MODE | BATCHES | TRAINING
};

typedef struct key_field {
    unsigned part;
    size_t offset, size;
    bool text; /* up to its NUL */
} key_field;

#define MEMBER(member) offsetof(cs_trial_config, member), sizeof(((cs_trial_config *)0)->member)
#define VALUE(part, member)                                                                                            \
    { part, MEMBER(member), false }
#define TEXT(part, member)                                                                                             \
    { part, MEMBER(member), true }

/* The order is part of what a key is. The dataset is not in it: a sweep has one, which its
 * journal and its checkpoints tell beside the key. */
static const key_field fields[] = {
    TEXT(PLACE, data.path),
    VALUE(GRAPH, data.image),
    TEXT(GRAPH, model.arch),
    VALUE(GRAPH, model.dialect),
    VALUE(GRAPH, model.input_h),
    VALUE(GRAPH, model.input_w),
    VALUE(GRAPH, model.input_c),
    VALUE(GRAPH, model.alpha),
    TEXT(HEAD, model.head),
    VALUE(RATES, model.dropout),
    VALUE(RATES, model.l2),
    TEXT(GRAPH, weights),
    VALUE(GRAPH, weights_checksum),
    VALUE(GRAPH, allow_missing),
    TEXT(DEPTH, fine_tune),
    VALUE(MODE, train.mode),
    VALUE(TRAINING, train.epochs),
    VALUE(BATCHES, train.batch),
    VALUE(TRAINING, train.optimizer.kind),
    VALUE(TRAINING, train.optimizer.lr),
    VALUE(TRAINING, train.optimizer.momentum),
    VALUE(TRAINING, train.optimizer.nesterov),
    VALUE(TRAINING, train.optimizer.beta_1),
    VALUE(TRAINING, train.optimizer.beta_2),
    VALUE(TRAINING, train.optimizer.epsilon),
    VALUE(TRAINING, train.optimizer.weight_decay),
    VALUE(BATCHES, train.seed),
    VALUE(BATCHES, train.shuffle),
    VALUE(TRAINING, train.patience),
    VALUE(TRAINING, train.min_delta),
    TEXT(TRAINING, train.monitor),
    VALUE(TRAINING, train.sync_bn),
    VALUE(BATCHES, augment.horizontal_flip),
    VALUE(BATCHES, augment.vertical_flip),
    VALUE(BATCHES, augment.brightness_range),
    TEXT(PLACE, data.features),
};

/* What a file holds tells more than its name: that it was replaced, that it is a copy. */
static bool is_known_by_contents(const key_field *field, const cs_trial_config *trial) {
    return field->offset == offsetof(cs_trial_config, weights) && trial->weights_checksum != 0;
}

static uint64_t mix(uint64_t key, uint64_t hash) {
    const uint64_t pair[] = {key, hash};
    return cs_checksum(pair, sizeof pair);
}

static size_t size_of(const key_field *field, const char *value) {
    return field->text ? strnlen(value, field->size) : field->size;
}

static uint64_t hash_parts(const cs_trial_config *trial, unsigned parts) {
    uint64_t key = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *value = (const char *)trial + fields[i].offset;
        if (fields[i].part & parts && !is_known_by_contents(&fields[i], trial))
            key = mix(key, cs_checksum(value, size_of(&fields[i], value)));
    }
    return key;
}

static bool agree_in(const cs_trial_config *a, const cs_trial_config *b, unsigned parts) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *x = (const char *)a + fields[i].offset, *y = (const char *)b + fields[i].offset;
        size_t size = size_of(&fields[i], x);
        if (fields[i].part & parts && !is_known_by_contents(&fields[i], a) &&
            (size != size_of(&fields[i], y) || memcmp(x, y, size) != 0))
            return false;
    }
    return true;
}

uint64_t cs_trial_key(const cs_trial_config *trial) {
    return hash_parts(trial, NUMBERS);
}

bool cs_same_network(const cs_trial_config *a, const cs_trial_config *b) {
    return agree_in(a, b, GRAPH | HEAD | RATES);
}

/* One set of features is of one depth, and a dropout's rate may move where it ends. */
static unsigned shared_parts(const cs_trial_config *trial) {
    unsigned parts = GRAPH | BATCHES | MODE | PLACE;
    return trial->train.mode == CS_TRAIN_FEATURES ? parts | DEPTH | RATES : parts;
}

/* Does every dense layer of the head learn, whatever else does? `dense` is the first one in its text. */
static bool head_learns(const cs_trial_config *trial, const char *dense) {
    static const char *const names[] = {"dense", "dropout", "flatten", "global_average_pooling2d"};
    const char *fine_tune = trial->fine_tune;
    if (fine_tune[0] && fine_tune[strspn(fine_tune, "0123456789")] == '\0') {
        int items = 1;
        for (const char *at = dense; (at = strchr(at, ',')) != NULL; at++)
            items++;
        /* features are of one depth, and a number counts from the end */
        return trial->train.mode != CS_TRAIN_FEATURES && strtol(fine_tune, NULL, 10) >= items;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(fine_tune, names[i], strlen(names[i])) == 0)
            return false;
    return true;
}

/* The beginning of the head's text that a group has in common: up to the last layer before the first dense one that is
 * no dropout, which is gap or flatten. Behind it the trunk ends, or goes on with dropouts that drop nothing. A head
 * without a list, or with a frozen dense layer, is in common as a whole. */
static size_t shared_head(const cs_trial_config *trial) {
    const char *head = trial->model.head, *dense = strstr(head, "dense"), *dropout = "dropout";
    size_t shared = 0;
    if (!dense || !head_learns(trial, dense))
        return strlen(head);
    for (const char *item = head; item < dense; item += strcspn(item, ",") + 1)
        if (strncmp(item + strspn(item, " "), dropout, strlen(dropout)) != 0)
            shared = (size_t)(item - head) + strcspn(item, ",");
    return shared;
}

bool cs_trials_can_share(const cs_trial_config *a, const cs_trial_config *b) {
    size_t head = shared_head(a);
    return agree_in(a, b, shared_parts(a)) && head == shared_head(b) && memcmp(a->model.head, b->model.head, head) == 0;
}

/* Without places: a sweep has one dataset and one folder of features, and parts of it that have theirs elsewhere are to
 * see the same order. */
uint64_t cs_trial_share_key(const cs_trial_config *trial) {
    return mix(hash_parts(trial, shared_parts(trial) & ~(unsigned)PLACE),
               cs_checksum(trial->model.head, shared_head(trial)));
}

/* Rates cost nothing, but a dropout that drops may end the trunk. */
uint64_t cs_trial_work_key(const cs_trial_config *trial) {
    return mix(hash_parts(trial, GRAPH | HEAD | DEPTH | MODE | PLACE), trial->model.dropout > 0);
}
