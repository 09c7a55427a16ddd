/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the training room: how the samples of a split come to the programs that read them.
 *
 * An engine without stores is given floats, which the loader's thread makes. One with stores is given bytes, and makes
 * its input of them itself: all images of a split that comes again stay there where they take no more than a quarter of
 * the memory that is free (the rest is for programs and for what is kept of a trunk), so that each is decoded and sent
 * once; else those of a batch. The numbers are the same. */
#ifndef CNNSWEEP_FEED_H
#define CNNSWEEP_FEED_H

#include "cnnsweep/engine.h"
#include "cnnsweep/loader.h"

typedef struct cs_feed cs_feed;

/* `config` says nothing of bytes and present; that is the feed's to choose. `again`: more than one epoch reads it. */
CS_MUST_CHECK cs_status cs_feed_open(cs_engine *engine, const cs_dataset *dataset, const cs_loader_config *config,
                                     bool again, cs_feed **out);
void cs_feed_close(cs_feed *feed); /* NULL-safe; before the engine */
cs_loader *cs_feed_loader(const cs_feed *feed);
/* cs_loader_next; what is new of the images is on its way to the engine. */
CS_MUST_CHECK cs_status cs_feed_next(cs_feed *feed, cs_batch *batch);
/* Input 0 of a program becomes the batch's images (all n_images of them), or its features. */
CS_MUST_CHECK cs_status cs_feed_input(const cs_feed *feed, const cs_batch *batch, cs_program *program);

#endif
