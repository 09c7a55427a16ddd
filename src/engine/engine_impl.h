/* Inside the engine room: what every engine's cs_engine and cs_program begin with. */
#ifndef CNNSWEEP_ENGINE_IMPL_H
#define CNNSWEEP_ENGINE_IMPL_H

#include "cnnsweep/engine.h"

/* First member of each engine's own struct, so that a pointer to one is a pointer to the other. */
struct cs_engine {
    const cs_engine_ops *ops;
    cs_engine_options options;
};

struct cs_program {
    const cs_engine_ops *ops;
    cs_engine *engine;
    cs_program_spec spec;
};

extern const cs_engine_ops cs_ref_engine;
#ifdef CNNSWEEP_HAVE_ONEDNN
extern const cs_engine_ops cs_onednn_engine;
#endif

#endif
