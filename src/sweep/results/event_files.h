/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: the files for TensorBoard (option tensorboard), in the layout of Keras' callback:
 *
 *   tensorboard/events...                     the experiment: which options are swept, and where the metrics are
 *   tensorboard/<trial>/events... .0          its values of the swept options, when its first epoch was done
 *   tensorboard/<trial>/train/events...       epoch_loss, epoch_accuracy, ..., epoch_learning_rate; the step is the
 *                                             epoch
 *   tensorboard/<trial>/validation/events...  epoch_loss, epoch_accuracy, ...
 *   tensorboard/<trial>/events... .1          when it has ended: test_accuracy, ... and the confusion matrix
 *
 * As history/, they are written again from the journal when a sweep is resumed: so no step is there twice and none is
 * missing. A trial that has ended keeps its files, because the journal does not have its confusion matrix. The files
 * get new names then, as a TensorBoard that is running reads on in a new file, but not in a changed one. They are never
 * synced: the journal has what is in them.
 *
 * The functions do nothing if the option is off. */
#ifndef CNNSWEEP_EVENT_FILES_H
#define CNNSWEEP_EVENT_FILES_H

#include "cnnsweep/tensorboard.h"
#include "journal.h"

typedef struct cs_event_files {
    const cs_results_config *config; /* borrowed; NULL: the option is off */
    const char *const *classes;      /* borrowed */
    char name[CS_NAME_MAX * 2];      /* of the files, without the last number */
    cs_hparam_type *types;           /* [n_swept] */
} cs_event_files;

CS_MUST_CHECK cs_status cs_event_files_open(const cs_results_config *config, const char *const *classes,
                                            cs_event_files *out);
void cs_event_files_close(cs_event_files *files);
/* Writes the experiment, and the files of trials that the journal knows. */
CS_MUST_CHECK cs_status cs_event_files_start(const cs_event_files *files, const cs_outcome *outcomes);
/* Appends epochs of a trial. With `anew` its files are replaced, and begin with the epochs of the phase before. */
CS_MUST_CHECK cs_status cs_event_files_epochs(const cs_event_files *files, int trial, const cs_epoch_row *rows,
                                              size_t n, bool anew);
/* A trial has ended. `evaluations` [CS_SPLIT_COUNT] or NULL, as in cs_tested. */
CS_MUST_CHECK cs_status cs_event_files_end(const cs_event_files *files, int trial, const cs_outcome *outcome,
                                           const cs_evaluation *const *evaluations);

#endif
