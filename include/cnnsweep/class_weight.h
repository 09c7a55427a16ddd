/* SPDX-License-Identifier: Apache-2.0 */
/* The weights of the classes in the loss of training, train.class_weight. Its text is one of
 *
 *     none                no weights
 *     balanced            n/(K*count) for each class that occurs in the training split, which has n samples of K
 *                         classes: scikit-learn's compute_class_weight
 *     1,5,2.5             the weight of each class, in the order of the dataset
 *     melanoma:5,2:0.5    the weights of some classes by name or by number from 0; those of all others are 1, as in
 *                         Keras' class_weight */
#ifndef CNNSWEEP_CLASS_WEIGHT_H
#define CNNSWEEP_CLASS_WEIGHT_H

#include "cnnsweep/dataset.h"

/* Does the text say that classes have weights? */
bool cs_class_weight_is_on(const char *text);
/* Checks all that can be checked without a dataset. Weights are 0 to 1e6, and one is above 0. */
CS_MUST_CHECK cs_status cs_class_weight_check(const char *text);
/* Sets `weights` [classes]. CS_ERR_ARG if the text does not fit the dataset's classes: a
 * list of another length, or an unknown name, with "did you mean". */
CS_MUST_CHECK cs_status cs_class_weight_read(const char *text, const cs_dataset *dataset, double *weights);

/* Can train.sample_weight use the weights of this dataset's training samples? CS_ERR_ARG if it has none, or if all of
 * them are 0. */
CS_MUST_CHECK cs_status cs_sample_weight_check(const cs_dataset *dataset);

#endif
