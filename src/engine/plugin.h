/* SPDX-License-Identifier: Apache-2.0 */
/* An engine that is opened at run time, so that one program runs with and without its libraries: a shared object that
 * exports one function, cs_plugin_symbol. It has copies of its own of the base and net rooms and of the engines' common
 * code; only what must be one in the process, errors and the log, it is handed (cs_base_links). */
#ifndef CNNSWEEP_ENGINE_PLUGIN_H
#define CNNSWEEP_ENGINE_PLUGIN_H

#include "engine_impl.h"

#include "cnnsweep/log.h"

/* Changes with anything that crosses the border: engine.h, engine_impl.h, graph.h, comm.h. */
enum { CS_PLUGIN_ABI = 3 };

typedef struct cs_plugin_host {
    int abi;
    const char *version; /* of the program, which must be the plug-in's own */
    const cs_base_links *links;
} cs_plugin_host;

/* NULL where host->abi or host->version is not the plug-in's. */
typedef const cs_engine_ops *cs_plugin_entry(const cs_plugin_host *host);
#define CS_PLUGIN_SYMBOL "cnnsweep_engine_plugin"

#endif
