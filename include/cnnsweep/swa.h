/* SPDX-License-Identifier: Apache-2.0 */
/* Stochastic weight averaging (Izmailov et al. 2018, arXiv:1803.05407), as torch.optim.swa_utils has it: from epoch
 * train.swa_start on, counted from 0, the weights at the end of each epoch enter an average in which all count alike.
 * Before the test, the moving statistics of the batch norms that train are computed anew (update_bn). */
#ifndef CNNSWEEP_SWA_H
#define CNNSWEEP_SWA_H

#include "cnnsweep/config.h"

bool cs_swa_is_on(const cs_train_config *config);
/* Do the weights at the end of the epoch (from 0) enter the average? */
bool cs_swa_averages(const cs_train_config *config, int64_t epoch);
/* Is the rate of that epoch train.swa_lr, or on the way to it? The schedule then stands still. */
bool cs_swa_sets_rate(const cs_train_config *config, int64_t epoch);
/* That rate, if the schedule stood still at `lr`: torch's SWALR, whose first step follows the first averaged epoch. */
double cs_swa_rate(const cs_train_config *config, double lr, int64_t epoch);
/* CS_ERR_ARG if nothing would be averaged, or if another option decides on the tested weights too. */
CS_MUST_CHECK cs_status cs_swa_check(const cs_train_config *config);

#endif
