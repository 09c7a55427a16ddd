/* SPDX-License-Identifier: Apache-2.0 */
/* --append: the images of a source are added to a dataset. The new dataset is packed from both, one after the other,
 * and then takes the place of the old one. What the dataset has is stored again as it is. */
#include "append.h"

#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"

#include <stdlib.h>
#include <string.h>

enum { SHARD = 256 << 20 };

extern const pack_source pack_packed_source;

struct pack_appended {
    pack_input old, added;
    pack_source source; /* that reads the images of both */
    pack_list list;     /* of the old images, until those of the source are added */
    size_t n_old;
};

cs_status pack_append_open(const char *path, pack_appended **out) {
    pack_appended *self = NULL;
    CS_TRY(cs_alloc(1, sizeof *self, "dataset", &self));
    *out = self;
    self->old = (pack_input){.path = path, .source = &pack_packed_source};
    CS_TRY(pack_source_scan(&self->old, &self->list));
    self->n_old = self->list.n;
    for (size_t i = 0; i < self->n_old; i++)
        self->list.samples[i].stored = true;
    return CS_OK;
}

void pack_append_close(pack_appended *appended) {
    if (!appended)
        return;
    pack_list_clear(&appended->list);
    pack_source_close(&appended->old);
    free(appended);
}

cs_status pack_append_rules(const pack_appended *appended, pack_options *options) {
    const cs_dataset *dataset = appended->old.state;
    const char *path = appended->old.path, *filter = cs_dataset_filter(dataset);
    cs_dataset_image_size(dataset, &options->size[1], &options->size[0]);
    options->resize = cs_dataset_resize(dataset);
    options->encoding = cs_dataset_encoding(dataset);
    if (cs_is_folder(path) && options->shard_bytes == 0)
        options->shard_bytes = cs_dataset_shard_count(dataset) > 1 ? cs_dataset_shard_bytes(dataset) : SHARD;
    if (!cs_decode_rules_parse(cs_dataset_decode(dataset), &options->decode))
        return cs_fail(CS_ERR_FORMAT, "%s: unknown rules of decoding, \"%s\"", path, cs_dataset_decode(dataset));
    options->filter = (cs_filter_chain){0};
    return strcmp(filter, "none") == 0 ? CS_OK : cs_context(cs_filter_parse(filter, &options->filter), "%s", path);
}

cs_status pack_append_check(const pack_options *own, const pack_options *asked) {
    const cs_decode_rules *rules = &own->decode, *others = &asked->decode;
    const bool chosen = asked->balance != PACK_BALANCE_NONE;
    const struct {
        const char *option;
        bool differs;
    } settled[] = {
        {"--size", own->size[0] != asked->size[0] || own->size[1] != asked->size[1]},
        {"--resize", own->resize.interpolation != asked->resize.interpolation},
        {"--fit", own->resize.aspect != asked->resize.aspect},
        {"--encoding", own->encoding != asked->encoding},
        {"--filter", asked->filter.n > 0 && strcmp(cs_filter_text(&own->filter), cs_filter_text(&asked->filter)) != 0},
        {"--depth16", rules->depth16 != others->depth16},
        {"--alpha", rules->blend != others->blend || memcmp(rules->background, others->background, 3) != 0},
        {"--exif", rules->exif != others->exif},
        {"--max-pixels", rules->max_pixels != others->max_pixels},
        {"--shard-size", asked->shard_bytes > 0 && !cs_is_folder(own->out)},
    };
    for (size_t i = 0; i < sizeof settled / sizeof *settled; i++)
        if (settled[i].differs)
            return cs_hint(cs_fail(CS_ERR_ARG, "%s: %s was packed otherwise", settled[i].option, own->out),
                           "leave it out: images are added as those that are there were packed");
    if (chosen || asked->per_class > 0 || asked->total > 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "--balance, --per-class and --total: not with --append"),
                       "they choose among all images of a dataset: cnnsweep-pack %s OUT packs it again", own->out);
    return CS_OK;
}

static cs_status read_either(const pack_input *input, const pack_sample *sample, pack_content *out) {
    const pack_appended *self = input->state;
    CS_TRY(pack_source_read(sample->stored ? &self->old : &self->added, sample, out));
    out->is_stored = sample->stored;
    return CS_OK;
}

static void close_new(void *state) {
    pack_source_close(&((pack_appended *)state)->added);
}

static cs_status fail_new_class(const pack_options *options, const pack_list *old, const char *name) {
    enum { NAMED = 10 };
    char names[512] = "";
    for (int i = 0; i < old->n_classes && i < NAMED; i++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s\"%s\"", i == 0 ? "" : ", ", old->classes[i]);
    }
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: its class \"%s\" is none of %s, which has %s%s", options->input.path, name,
                           options->out, names, old->n_classes > NAMED ? " and others" : ""),
                   "--map \"%s=%s\" gives the images that class, --only leaves them out; a dataset of more classes is "
                   "packed anew",
                   name, old->classes[0]);
}

/* The label in the dataset of a class of the source, or -1 if it is left out. Where the dataset has grouped or left out
 * classes of its own source, the same is done with these again, unless options say what is done. */
static cs_status find_label(const pack_options *options, const pack_list *old, const char *name, int32_t *label) {
    const bool renamed = options->map || options->keep || options->keep_ordered;
    for (int i = 0; i < old->source_classes.n && !renamed; i++)
        if (strcmp(old->source_classes.names[i], name) == 0) {
            *label = old->source_classes.labels[i];
            return CS_OK;
        }
    *label = pack_list_find_class(old, name);
    return *label < 0 ? fail_new_class(options, old, name) : CS_OK;
}

/* Adds the samples of the source to those of the dataset. */
static cs_status add_samples(const pack_options *options, const pack_list *added, const int32_t *label_of,
                             pack_list *all) {
    size_t left_out = 0;
    for (size_t i = 0; i < added->n; i++) {
        pack_sample sample = added->samples[i];
        sample.label = label_of[sample.label];
        if (sample.label < 0) {
            left_out++;
            continue;
        }
        CS_TRY(pack_list_add(all, &sample));
        if (all->source_counts)
            all->source_counts[sample.label]++;
    }
    if (left_out > 0)
        cs_log(CS_LOG_INFO, "%zu of %zu images are of classes that %s has left out", left_out, added->n, options->out);
    return CS_OK;
}

static cs_status check_ids(const pack_options *options, const pack_list *all) {
    size_t twins[2];
    bool found;
    CS_TRY(pack_list_find_twins(all, &found, twins));
    if (!found)
        return CS_OK;
    return cs_hint(cs_fail(CS_ERR_ARG, "%s: %s has an image '%s' already; nothing was added", options->input.path,
                           options->out, all->samples[twins[1]].id),
                   "an image is known by its path below SRC: append a folder of the new images only");
}

/* Warns of what the images of the dataset have and the new ones have not. */
static void warn_of_missing(const pack_options *options, const pack_list *old, const pack_list *added) {
    if (old->weighted && !added->weighted)
        cs_log(CS_LOG_WARN,
               "the images of %s have weights; the new ones get the weight 1 (--weights gives them others)",
               options->out);
    if (old->grouped && !added->grouped)
        cs_log(CS_LOG_WARN,
               "the images of %s have groups, and the new ones have none (--group-column or --group-regex gives them)",
               options->out);
}

/* Images of a dataset went through its filters, and not through those of this one. */
static cs_status settle_filter(pack_options *options, const pack_list *added, pack_list *all) {
    if (!added->filter || strcmp(added->filter, "none") == 0) {
        all->filter = NULL; /* options->filter is the same */
        return CS_OK;
    }
    if (strcmp(added->filter, all->filter) != 0)
        return cs_fail(CS_ERR_ARG, "%s: its images went through the filter %s, those of %s through %s",
                       options->input.path, added->filter, options->out, all->filter);
    options->filter = (cs_filter_chain){0};
    return CS_OK;
}

static cs_status add_all(pack_options *options, pack_list *added, pack_list *all) {
    int32_t *label_of = NULL; /* [classes of the source] */
    cs_status status = CS_OK;
    CS_TRY(cs_alloc((size_t)added->n_classes, sizeof *label_of, "classes", &label_of));
    for (int i = 0; i < added->n_classes && status == CS_OK; i++)
        status = find_label(options, all, added->classes[i], &label_of[i]);
    if (status == CS_OK)
        status = add_samples(options, added, label_of, all);
    free(label_of);
    return status == CS_OK ? check_ids(options, all) : status;
}

cs_status pack_append_list(pack_options *options, pack_list *list) {
    pack_appended *self = options->appended;
    pack_list *all = &self->list;
    warn_of_missing(options, all, list);
    CS_TRY(settle_filter(options, list, all));
    CS_TRY(add_all(options, list, all));
    all->weighted = all->weighted || list->weighted;
    all->grouped = all->grouped || list->grouped;
    memcpy(all->split, list->split, sizeof all->split); /* whether the new images are still to be split */
    pack_list_clear(list);
    *list = *all;
    *all = (pack_list){0};
    self->added = options->input;
    self->source = *options->input.source;
    self->source.read = read_either;
    self->source.close = close_new;
    options->input.source = &self->source;
    options->input.state = self;
    cs_log(CS_LOG_INFO, "%zu images are added to the %zu of %s", list->n - self->n_old, self->n_old, options->out);
    return CS_OK;
}
