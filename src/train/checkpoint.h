/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints: files from which a tail resumes with the same bits as if it had never stopped.
 *
 * File format (version 3): blocks, each followed by its XXH3-64. They are the header; the fields of the tail, in the
 * order of the table in checkpoint.c; in the middle of an epoch, what the metrics of the train split need of its
 * predictions; then arrays of floats for the parameters of the tail's layers: the values, the
 * optimizer's states (1 for SGD with momentum, 2 for Adam) and, where they are to be restored or saved, the best
 * values. Layouts are those of cs_params, so that any engine can resume. The frozen trunk is not in the file: it comes
 * from the weights file or the seed.
 *
 * "<path>" is the newest checkpoint, "<path>.previous" the one before it, and "<path>.next" is a file that is being
 * written. After the first checkpoint, one of the first two files is complete whenever the process ends. */
#ifndef CNNSWEEP_CHECKPOINT_H
#define CNNSWEEP_CHECKPOINT_H

#include "tail.h"

/* All three use the file tail->checkpoint, and do nothing if it is NULL. `scratch` holds a float for every value of the
 * graph. */
CS_MUST_CHECK cs_status cs_checkpoint_write(cs_tail *tail, float *scratch);
/* Fills a compiled tail, which holds its initial values, from the newest complete file. Skips, with a warning, a file
 * that is truncated or damaged, or that belongs to another trial, dataset or initial values. If no file is left, the
 * tail stays as it is. */
CS_MUST_CHECK cs_status cs_checkpoint_read(cs_tail *tail, float *scratch);
CS_MUST_CHECK cs_status cs_checkpoint_remove(const cs_tail *tail);

#endif
