/* Inside the sweep room: a sweep divided over programs that do not talk to each other (--part i/n). */
#ifndef CNNSWEEP_PARTS_H
#define CNNSWEEP_PARTS_H

#include "groups.h"

/* Divides trials [n] over `parts` so that they take equally long: costs are cut into pieces of at most `most` as for
 * so many ranks (cs_groups_make, which sorts them), and a piece goes to the part that has least. `part_of` is indexed
 * by cs_cost.trial. The same costs give the same division. */
CS_MUST_CHECK cs_status cs_parts_divide(cs_cost *costs, int n, int parts, int most, int *part_of);

#endif
