/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: the names that Keras and torch give to layers and parameters. */
#ifndef CS_WEIGHTS_NAMES_H
#define CS_WEIGHTS_NAMES_H

#include "tensor.h"

/* Writes the name that a parameter has in files of that naming. */
void cs_name_in_file(const cs_graph *graph, const cs_param *param, cs_naming naming, char *out, size_t size);
/* Writes Keras' name for layers and groups of a class: "conv2d" for Conv2D. */
void cs_name_of_class(cs_layer_kind kind, char *out, size_t size);
/* The value of a text that is a number without a sign; -1 for any other text. */
int cs_name_number(const char *text);
/* n for "<class>_<n>", 0 for "<class>", -1 for another name. */
int cs_name_ordinal(const char *name, const char *class);
/* Whether Keras made up this name for a layer of a class that cs_layer_kind has. */
bool cs_name_automatic(const char *name, cs_layer_kind *kind, int *ordinal);

#endif
