/* Inside the sweep room: the loop in which a rank asks for work and trains it. */
#ifndef CNNSWEEP_WORKER_H
#define CNNSWEEP_WORKER_H

#include "cnnsweep/engine.h"
#include "queue.h"

/* `folder` is that of the results, for weights and checkpoints. Trains pieces until nothing is left or `stop` is set,
 * by a signal or because rank 0 said so, and says goodbye to the desk, which knows of every failure. The only error is
 * CS_ERR_COMM: the desk does not answer. */
CS_MUST_CHECK cs_status cs_worker_run(const cs_job *job, const char *folder, cs_engine *engine, cs_queue *queue,
                                      volatile sig_atomic_t *stop);

#endif
