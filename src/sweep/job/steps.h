/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: options that take a list of steps with parameters. */
#ifndef CNNSWEEP_STEPS_H
#define CNNSWEEP_STEPS_H

#include "cnnsweep/config.h"
#include "node.h"

/* Prints a list such as [median, {gaussian: 2}, {unsharp: {sigma: 3}}], or one such step, as
 * "median,gaussian:2,unsharp:sigma=3". Each parameter is set in the option, so that an error names its place. */
CS_MUST_CHECK cs_status cs_steps_text(const cs_option *option, const cs_node *value, char *out, size_t size);

#endif
