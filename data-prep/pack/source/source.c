/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

extern const pack_source pack_manifest_source, pack_cifar_source, pack_archive_source, pack_packed_source,
    pack_folder_source;
static const pack_source *const sources[] = {&pack_manifest_source, &pack_cifar_source, &pack_archive_source,
                                             &pack_packed_source, &pack_folder_source};
enum { SOURCES = sizeof sources / sizeof *sources };

/* Lists the names of the sources: "folder", "folder or CSV file", "folder, CSV file or tar archive". */
static void name_sources(char *out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < SOURCES && used < size; i++) {
        const char *before = i == 0 ? "" : i + 1 < SOURCES ? ", " : " or ";
        used += (size_t)snprintf(out + used, size - used, "%s%s", before, sources[i]->name);
    }
}

cs_status pack_source_find(pack_input *input) {
    const char *path = input->path;
    char names[256];
    for (size_t i = 0; i < SOURCES; i++)
        if (sources[i]->recognises(path)) {
            input->source = sources[i];
            return CS_OK;
        }
    name_sources(names, sizeof names);
    if (!cs_file_exists(path))
        return cs_fail_errno("%s: cannot open the %s", path, names);
    return cs_fail(CS_ERR_ARG, "%s: not a %s", path, names);
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

/* Whether the option belongs to a table of weights, which can be given beside every source. */
static bool is_of_weights(const pack_input *input, int option) {
    return input->options[PACK_WEIGHTS] &&
           (option == PACK_WEIGHTS || option == PACK_FILE_COLUMN || option == PACK_WEIGHT_COLUMN);
}

static cs_status check_options(const pack_input *input) {
    for (int i = 0; i < PACK_SOURCE_OPTIONS; i++)
        if (input->options[i] && !input->source->takes[i] && !is_of_weights(input, i))
            return cs_fail(CS_ERR_ARG, "%s: %s is a %s, for which there is no such option", pack_option_name(i),
                           input->path, input->source->name);
    return CS_OK;
}

static cs_status scan(pack_input *input, pack_list *list) {
    const pack_source *source = input->source;
    CS_TRY(check_options(input));
    CS_TRY(source->scan(input, list));
    if (list->n_classes == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: no class %ss", input->path, source->unit), "%s", source->hint);
    if (list->n_classes == 1 && !input->one_class)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s: only one class; two are needed", input->path), "%s", source->hint);
    for (size_t i = 0; i < list->n && !list->weighted; i++)
        list->samples[i].source_weight = 1;
    return CS_OK;
}

cs_status pack_source_scan(pack_input *input, pack_list *list) {
    *list = (pack_list){0};
    cs_status status = scan(input, list);
    if (status != CS_OK)
        pack_list_clear(list);
    return status;
}

cs_status pack_source_read(const pack_input *input, const pack_sample *sample, pack_content *out) {
    out->size = 0;
    out->is_pixels = false;
    out->is_stored = false;
    return input->source->read(input, sample, out);
}

void pack_source_close(pack_input *input) {
    if (input->state)
        input->source->close(input->state);
    input->state = NULL;
}
