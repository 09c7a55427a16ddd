/* SPDX-License-Identifier: Apache-2.0 */
/* Stores of rows: functions of cs_engine_ops. */
#ifndef CNNSWEEP_CUDA_STORE_H
#define CNNSWEEP_CUDA_STORE_H

#include "program.h"

size_t cu_pictures_bytes(const cu_program *program); /* size of cu_program.pictures in bytes */
size_t cu_sweeps_bytes(const cu_program *program);   /* and of cu_program.sweeps */
size_t cu_free_bytes(const cs_engine *engine);
size_t cu_value_bytes(const cs_engine *engine);
CS_MUST_CHECK cs_status cu_store_open(cs_engine *engine, const cs_store_spec *spec, cs_store **out);
void cu_store_close(cs_store *base);
CS_MUST_CHECK cs_status cu_store_put(cs_store *base, const int64_t *rows, const void *bytes, int n);
CS_MUST_CHECK cs_status cu_set_pictures(cs_program *base, int i, const cs_pictures *pictures, int n);
CS_MUST_CHECK cs_status cu_keep_output(cs_program *base, int i, cs_store *to, const int64_t *rows, int n);
CS_MUST_CHECK cs_status cu_use_output(cs_program *base, int i, const cs_store *from, const int64_t *rows, int n);

#endif
