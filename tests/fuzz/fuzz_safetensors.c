/* SPDX-License-Identifier: Apache-2.0 */
/* A libFuzzer harness: reads any bytes as a safetensors file, as users do, into networks of both dialects. */
#include "network.h"
#include "scratch.h"

#include "cnnsweep/weights.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const uint8_t hdf5[] = {0x89, 'H', 'D', 'F'};
    static cs_params *params[2];
    if (size >= sizeof hdf5 && memcmp(bytes, hdf5, sizeof hdf5) == 0)
        return -1; /* HDF5 files are for the other harness */
    for (int d = 0; d < 2; d++)
        if (!params[d] && cs_params_create(fuzz_network(d ? CS_DIALECT_TORCH : CS_DIALECT_KERAS), &params[d]) != CS_OK)
            abort();
    const char *path = fuzz_file(bytes, size);
    for (int d = 0; d < 2; d++) {
        cs_weights_report report;
        cs_error_clear();
        cs_status status = cs_weights_read(path, CS_WEIGHTS_ALLOW_MISSING, params[d], &report);
        cs_weights_report_clear(&report);
        if (status != CS_OK && !strstr(cs_error_last()->text, path))
            abort(); /* an error names the file */
    }
    return 0;
}
