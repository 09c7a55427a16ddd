/* SPDX-License-Identifier: Apache-2.0 */
/* An engine in a shared object that is loaded at run time, so that one program runs with and without the engine's
 * libraries. The object exports one function, CS_PLUGIN_SYMBOL. It has its own copies of src/base, src/net and the
 * engines' common code. The program passes it the objects that must be unique in the process: errors and the log
 * (cs_base_links). */
#ifndef CNNSWEEP_ENGINE_PLUGIN_H
#define CNNSWEEP_ENGINE_PLUGIN_H

#include "engine_impl.h"

#include "cnnsweep/log.h"

/* To be increased with every change of an interface between program and plug-in: engine.h, engine_impl.h, graph.h,
 * comm.h. */
enum { CS_PLUGIN_ABI = 3 };

typedef struct cs_plugin_host {
    int abi;
    const char *version; /* the version of the program, which must equal the plug-in's */
    const cs_base_links *links;
} cs_plugin_host;

/* Returns NULL if host->abi or host->version is not the plug-in's. */
typedef const cs_engine_ops *cs_plugin_entry(const cs_plugin_host *host);
#define CS_PLUGIN_SYMBOL "cnnsweep_engine_plugin"

#endif
