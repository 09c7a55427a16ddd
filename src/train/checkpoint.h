/* SPDX-License-Identifier: Apache-2.0 */
/* A tail in a file, from which it goes on bit by bit as if it had never stopped.
 *
 * File format (version 2): blocks, each with its XXH3-64 behind it: the header; the fields of the tail, in the order of
 * the table in checkpoint.c; then arrays of floats, the parameters from the tail's first layer on: values, the
 * optimizer's states (SGD with momentum 1, Adam 2) and, with early stopping, the best values. Layouts are those of
 * cs_params, so that any engine can go on. The frozen trunk is not in it: it comes from the weights file or the seed.
 *
 * "<path>" is the newest, "<path>.previous" the one before; "<path>.next" is being written. Whenever the process ends,
 * one of the first two is whole, once there has been one. */
#ifndef CNNSWEEP_CHECKPOINT_H
#define CNNSWEEP_CHECKPOINT_H

#include "tail.h"

/* All three work on tail->checkpoint and do nothing where it is NULL. `scratch` holds a float for every value of the
 * graph. */
CS_MUST_CHECK cs_status cs_checkpoint_write(cs_tail *tail, float *scratch);
/* Fills a compiled tail, which has the values it begins with, from the newest whole file. One that is torn, altered or
 * of another trial, dataset or beginning is passed over with a warning; where none is left the tail stays as it is. */
CS_MUST_CHECK cs_status cs_checkpoint_read(cs_tail *tail, float *scratch);
CS_MUST_CHECK cs_status cs_checkpoint_remove(const cs_tail *tail);

#endif
