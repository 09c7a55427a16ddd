/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: how the samples of a split reach the programs that read them.
 *
 * For an engine without stores, the loader's thread prepares floats, and for any engine if the images are standardized
 * by more than a factor and an addend for each channel (standardize.h). An engine with stores gets bytes, and prepares
 * its input from them itself. If a split is read again and all its images take no more than a quarter of the free
 * device memory (the rest is for programs and for the trunk cache), they all stay in a store, so that each image is
 * decoded and sent once. Otherwise the store holds the images of one batch. The numbers are the same. */
#ifndef CNNSWEEP_FEED_H
#define CNNSWEEP_FEED_H

#include "cnnsweep/engine.h"
#include "cnnsweep/loader.h"

typedef struct cs_feed cs_feed;

/* The feed sets config's members `bytes` and `held_samples` itself. `again`: more than one epoch reads the split. */
CS_MUST_CHECK cs_status cs_feed_open(cs_engine *engine, const cs_dataset *dataset, const cs_loader_config *config,
                                     bool again, cs_feed **out);
void cs_feed_close(cs_feed *feed); /* NULL-safe; call it before the engine is closed */
cs_loader *cs_feed_loader(const cs_feed *feed);
/* Gets the next batch, as cs_loader_next does, and starts to send its new images to the engine. */
CS_MUST_CHECK cs_status cs_feed_next(cs_feed *feed, cs_batch *batch);
/* Sets input 0 of a program to all n_images images of the batch, or to its features. */
CS_MUST_CHECK cs_status cs_feed_input(const cs_feed *feed, const cs_batch *batch, cs_program *program);

#endif
