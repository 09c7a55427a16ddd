/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the sweep room: a sweep that several programs train which do not communicate (--part i/n). */
#ifndef CNNSWEEP_PARTS_H
#define CNNSWEEP_PARTS_H

#include "groups.h"

/* Divides trials [n] over `parts` so that the parts take equally long. The trials are first divided into groups of at
 * most `most` as if each part were one rank (cs_groups_make, which sorts `costs`). Each group then goes to the part
 * that has the least work so far. `part_of` is indexed by cs_cost.trial. The same costs always give the same division.
 */
CS_MUST_CHECK cs_status cs_parts_divide(cs_cost *costs, int n, int parts, int most, int *part_of);

#endif
