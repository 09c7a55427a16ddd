/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the weights room: one writer for each format. A file appears complete or not at all. */
#ifndef CS_WEIGHTS_WRITERS_H
#define CS_WEIGHTS_WRITERS_H

#include "tensor.h"

CS_MUST_CHECK cs_status cs_write_legacy(const char *path, const cs_params *params);
CS_MUST_CHECK cs_status cs_write_keras3(const char *path, const cs_params *params);
CS_MUST_CHECK cs_status cs_write_safetensors(const char *path, const cs_params *params);

#endif
