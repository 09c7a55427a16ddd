/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/weights: the names that Keras and torch give to layers and parameters. */
#ifndef CS_WEIGHTS_NAMES_H
#define CS_WEIGHTS_NAMES_H

#include "tensor.h"

/* What a parameter is called in files of that naming. */
void cs_name_in_file(const cs_graph *graph, const cs_param *param, cs_naming naming, char *out, size_t size);
/* "conv2d" for Conv2D: how Keras names layers and groups. */
void cs_name_of_class(cs_layer_kind kind, char *out, size_t size);
/* The number that a text is, without a sign; -1 for anything else. */
int cs_name_number(const char *text);
/* n for "<class>_<n>", 0 for "<class>", -1 for another name. */
int cs_name_ordinal(const char *name, const char *class);
/* Is this a name that Keras made up for a layer of a kind it has? */
bool cs_name_automatic(const char *name, cs_layer_kind *kind, int *ordinal);

#endif
