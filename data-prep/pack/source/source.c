/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

extern const pack_source pack_folder_source;
static const pack_source *const sources[] = {&pack_folder_source};
enum { SOURCES = sizeof sources / sizeof *sources };

/* Lists the names of the sources: "folder", "folder or CSV file", "folder, CSV file or tar archive". */
static void name_sources(char *out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < SOURCES && used < size; i++) {
        const char *before = i == 0 ? "" : i + 1 < SOURCES ? ", " : " or ";
        used += (size_t)snprintf(out + used, size - used, "%s%s", before, sources[i]->name);
    }
}

cs_status pack_source_find(const char *path, const pack_source **out) {
    char names[256];
    for (size_t i = 0; i < SOURCES; i++)
        if (sources[i]->recognises(path)) {
            *out = sources[i];
            return CS_OK;
        }
    name_sources(names, sizeof names);
    if (!cs_file_exists(path))
        return cs_fail_errno("%s: cannot open the %s", path, names);
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: not a %s", path, names), "unpack an archive first");
}

void pack_sources_help(FILE *out, int indent) {
    for (size_t i = 0; i < SOURCES; i++) {
        fprintf(out, i == 0 ? "SRC " : ";\n%*sor SRC ", indent, "");
        for (const char *c = sources[i]->help; *c; c++)
            if (*c == '\n')
                fprintf(out, "\n%*s", indent, "");
            else
                fputc(*c, out);
    }
}

static cs_status scan(const pack_source *source, const char *path, pack_list *list) {
    CS_TRY(source->scan(path, list));
    if (list->n_classes == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: no class %ss", path, source->unit), "%s", source->hint);
    if (list->n_classes == 1)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: only one class; two are needed", path), "%s", source->hint);
    return CS_OK;
}

cs_status pack_source_scan(const pack_source *source, const char *path, pack_list *list) {
    *list = (pack_list){0};
    cs_status status = scan(source, path, list);
    if (status != CS_OK)
        pack_list_clear(list);
    return status;
}

cs_status pack_source_read(const pack_source *source, const char *path, const pack_sample *sample, pack_content *out) {
    out->size = 0;
    out->is_pixels = false;
    return source->read(path, sample, out);
}
