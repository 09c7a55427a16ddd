/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: files from which a tail resumes with the same bits as if it had never stopped. Final states: files from
 * which the next phase of a trial begins, or the same trial goes on for more epochs.
 *
 * File format (version 4): blocks, each followed by its XXH3-64. They are the header; the fields of the tail, in the
 * order of the table in checkpoint.c; in the middle of an epoch, what the metrics of the train split need of its
 * predictions; then arrays of floats for the parameters of the tail's layers: the values, the
 * optimizer's states (1 for SGD with momentum, 2 for Adam) and, where they are to be restored or saved, the best
 * values. Layouts are those of cs_params, so that any engine can resume. The frozen trunk is not in a checkpoint: it
 * comes from the weights file, the seed or the phase before. A final state ends with the tested values of all layers.
 *
 * "<path>" is the newest checkpoint, "<path>.previous" the one before it, and "<path>.next" is a file that is being
 * written. After the first checkpoint, one of the first two files is complete whenever the process ends. */
#ifndef CNNSWEEP_CHECKPOINT_H
#define CNNSWEEP_CHECKPOINT_H

#include "tail.h"

/* The first three use the file tail->files.checkpoint, and do nothing if it is NULL. `scratch` holds a float for every
 * value of the graph. */
CS_MUST_CHECK cs_status cs_checkpoint_write(cs_tail *tail, float *scratch);
/* Fills a compiled tail, which holds its initial values, from the newest complete file. Skips, with a warning, a file
 * that is truncated or damaged, or that belongs to another trial, dataset or initial values. If no file is left, the
 * tail stays as it is. */
CS_MUST_CHECK cs_status cs_checkpoint_read(cs_tail *tail, float *scratch);
CS_MUST_CHECK cs_status cs_checkpoint_remove(const cs_tail *tail);

/* Writes the final state of a tail that has ended, whose `params` are the tested values, to tail->files.end. Nothing if
 * that is NULL. */
CS_MUST_CHECK cs_status cs_final_state_write(const cs_tail *tail, float *scratch);
/* The next two read tail->files.start, and do nothing if it is NULL. CS_ERR_FORMAT: it is damaged or of another trial.
 * The first fills the initial values of an opened tail, and counts the epochs of the phases before. The second fills a
 * compiled tail: the states of an optimizer that is kept, or the whole progress of the same trial. */
CS_MUST_CHECK cs_status cs_start_read_values(cs_tail *tail);
CS_MUST_CHECK cs_status cs_start_read_states(cs_tail *tail, float *scratch);

#endif
