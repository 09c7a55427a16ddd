/* SPDX-License-Identifier: Apache-2.0 */
/* Writes weights in the format that the file's name asks for. */
#include "writers.h"

#include <string.h>

static const struct writer {
    const char *ending;
    cs_status (*write)(const char *path, const cs_params *params);
} writers[] = {
    {".weights.h5", cs_write_keras3}, /* comes before ".h5", with which it ends too */
    {".h5", cs_write_legacy},
    {".hdf5", cs_write_legacy},
    {".safetensors", cs_write_safetensors},
};

cs_status cs_weights_write(const char *path, const cs_params *params) {
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        size_t n = strlen(writers[i].ending);
        if (length > n && strcmp(path + length - n, writers[i].ending) == 0)
            return writers[i].write(path, params);
    }
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: the name does not end like that of a format of weights", path),
                   "x.weights.h5 (Keras 3), x.h5 (Keras' legacy layout) or x.safetensors");
}
