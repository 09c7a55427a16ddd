/* SPDX-License-Identifier: Apache-2.0 */
/* Small datasets that a small network can learn, and a listener that records the trainer's reports. */
#ifndef CNNSWEEP_TESTS_TOY_H
#define CNNSWEEP_TESTS_TOY_H

#include "device.h"
#include "test.h"

#include "cnnsweep/train.h"

enum { TOY_CLASSES = 3, TOY_SIZE = 32, TOY_MAX_TRIALS = 8, TOY_MAX_EPOCHS = 32 };

/* Images of class k are brighter in channel k by `contrast` under noise of +-64 levels. Samples depend on their number
 * alone, except that val and test have those of val when `same_test`. */
typedef struct toy_spec {
    int counts[CS_SPLIT_COUNT];
    int contrast;
    bool same_test;
} toy_spec;

/* Writes the dataset into the scratch folder, over one of the same name; the path is valid until the next call. */
const char *toy_dataset(const char *name, const toy_spec *spec);

/* A trial of basenet on that dataset with Adam and batch 8; all layers are trainable. */
cs_trial_config toy_trial(const char *dataset_path);

typedef struct toy_trial_record {
    cs_epoch_row rows[TOY_MAX_EPOCHS];
    int n_rows;
    bool finished;
    bool tested;
    cs_trial_result result;
    int64_t confusion[TOY_CLASSES * TOY_CLASSES];
    int64_t from_logits[TOY_CLASSES * TOY_CLASSES]; /* the same counts, from the logits of the report */
    cs_status failed;
    char failure[1024], hint[512];
} toy_trial_record;

typedef struct toy_record {
    toy_trial_record trials[TOY_MAX_TRIALS];
    int steps;
    int stop_after;      /* > 0: sets `stop` after that many steps */
    int enough_after;    /* > 0: the listener ends every trial after so many epochs */
    unsigned test_needs; /* CS_NEEDS_*: what an evaluation of the test split must collect */
    volatile sig_atomic_t stop;
} toy_record;

/* Events that fill `record`, which is cleared except for those three members. */
cs_train_events toy_events(toy_record *record);

/* Trains on the named device with two threads. */
CS_MUST_CHECK cs_status toy_train(const char *device, const cs_trial_config *trials, int n, toy_record *record);

/* All numbers but times are equal, bit for bit. */
void toy_assert_same(const toy_trial_record *a, const toy_trial_record *b);

#endif
