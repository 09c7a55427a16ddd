/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the report room: removes pixels of an image as ROAD does. */
#ifndef CNNSWEEP_ROAD_H
#define CNNSWEEP_ROAD_H

#include "cnnsweep/graph.h"
#include "cnnsweep/random.h"

/* Memory for images of one size. */
typedef struct cs_road cs_road;
CS_MUST_CHECK cs_status cs_road_open(cs_shape shape, cs_road **out);
void cs_road_close(cs_road *road); /* NULL-safe */

/* Replaces the pixels of `image` [H,W,C] that are not `kept` [H,W] by values with which each is the weighted mean of
 * its up to eight neighbours: those beside, above and below it count twice as much as the diagonal ones. Then adds
 * noise of standard deviation 0.01. At least one pixel is kept. */
void cs_road_remove(cs_road *road, const bool *kept, cs_rng *rng, float *image);

#endif
