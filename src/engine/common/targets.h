/* SPDX-License-Identifier: Apache-2.0 */
/* The targets of the loss, class by class. */
#ifndef CNNSWEEP_ENGINE_TARGETS_H
#define CNNSWEEP_ENGINE_TARGETS_H

#include "cnnsweep/engine.h"

/* The target of class k, of `classes`, in a row. */
static inline double cs_target(const cs_targets *targets, int row, int classes, int k) {
    return targets->soft ? (double)targets->soft[(size_t)row * (size_t)classes + (size_t)k]
                         : (double)(k == targets->labels[row]);
}

#endif
