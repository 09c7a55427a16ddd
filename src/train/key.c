/* The key of a trial: a hash of its fields one by one, since what lies between them in memory is anything. */
#include "cnnsweep/file.h"
#include "cnnsweep/train.h"

#include <string.h>

typedef struct key_field {
    size_t offset, size;
    bool text; /* up to its NUL */
} key_field;

#define MEMBER(member) offsetof(cs_trial_config, member), sizeof(((cs_trial_config *)0)->member)
#define VALUE(member)                                                                                                  \
    { MEMBER(member), false }
#define TEXT(member)                                                                                                   \
    { MEMBER(member), true }

/* The order is part of what a key is: new fields go to the end. */
static const key_field fields[] = {
    TEXT(data.path),
    VALUE(data.image),
    TEXT(model.arch),
    VALUE(model.dialect),
    VALUE(model.input_h),
    VALUE(model.input_w),
    VALUE(model.input_c),
    VALUE(model.alpha),
    TEXT(model.head),
    VALUE(model.dropout),
    VALUE(model.l2),
    TEXT(weights),
    VALUE(allow_missing),
    TEXT(fine_tune),
    VALUE(train.mode),
    VALUE(train.epochs),
    VALUE(train.batch),
    VALUE(train.optimizer.kind),
    VALUE(train.optimizer.lr),
    VALUE(train.optimizer.momentum),
    VALUE(train.optimizer.nesterov),
    VALUE(train.optimizer.beta_1),
    VALUE(train.optimizer.beta_2),
    VALUE(train.optimizer.epsilon),
    VALUE(train.optimizer.weight_decay),
    VALUE(train.seed),
    VALUE(train.shuffle),
    VALUE(train.patience),
    VALUE(train.min_delta),
    TEXT(train.monitor),
    VALUE(train.sync_bn),
    VALUE(augment.horizontal_flip),
    VALUE(augment.vertical_flip),
    VALUE(augment.brightness_range),
};

static uint64_t mix(uint64_t key, uint64_t hash) {
    const uint64_t pair[] = {key, hash};
    return cs_checksum(pair, sizeof pair);
}

uint64_t cs_trial_key(const cs_trial_config *trial) {
    uint64_t key = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const char *value = (const char *)trial + fields[i].offset;
        key = mix(key, cs_checksum(value, fields[i].text ? strnlen(value, fields[i].size) : fields[i].size));
    }
    return key;
}
