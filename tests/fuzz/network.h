/* SPDX-License-Identifier: Apache-2.0 */
/* The small network that the harnesses read weights into; make_corpus.py writes files for it. */
#ifndef CNNSWEEP_TESTS_FUZZ_NETWORK_H
#define CNNSWEEP_TESTS_FUZZ_NETWORK_H

#include "cnnsweep/graph.h"

/* Builds the network; ends the program if that fails. */
cs_graph *fuzz_network(cs_dialect dialect);

#endif
