/* SPDX-License-Identifier: Apache-2.0 */
/* cnnsweep explain: draws what networks look at. */
#include "cnnsweep/log.h"
#include "cnnsweep/memory.h"
#include "cnnsweep/resources.h"
#include "command.h"
#include "explain_network.h"
#include "explain_output.h"
#include "explain_panel.h"

#include <stdlib.h>
#include <string.h>

enum { LEGIBLE = 160 /* pixels: smaller pictures are enlarged in panels */ };

typedef struct explain_args {
    const char **operands;
    int n_operands;
    cs_network_args network;
    const char *split, *methods, *class, *out, *device, *colours;
    int most, threads;
    bool faithfulness, help;
} explain_args;

/* A network, with the memory for a batch of its images. */
typedef struct explained_network {
    cs_network network;
    cs_shape shape; /* of its input */
    cs_output *output;
    uint8_t *pixels, *overlays; /* [batch,H,W,3] */
    float *values, *logits;     /* [batch,H,W,3], [batch,K] */
    float *maps, *heats;        /* [batch] the largest raw maps; [batch,H,W] */
    int32_t *truth, *classes;   /* [batch] */
    cs_faithfulness *faithful;  /* [n_methods] */
} explained_network;

typedef struct session {
    const explain_args *args;
    cs_engine *engine;
    explained_network *networks; /* [n_networks] */
    int n_networks;
    const cs_explain_method **methods; /* [n_methods] */
    int n_methods;
    cs_split split;
    const char **files; /* [n_images] image files; NULL: samples of a split */
    int64_t *samples;   /* [n_images] of the split */
    const char **ids;   /* [batch] */
    uint8_t **pictures; /* [n_methods + 1, n_networks] the pictures [batch,H,W,3] of the panels */
    int n_images;
    cs_colormap colours;
} session;

static bool parse(int argc, char **argv, explain_args *args, int *exit_code) {
    const cs_arg rows[] = {
        {"--method", "LIST", "methods, separated by commas (default grad_cam); see below", cs_arg_text, &args->methods},
        {"--layer", "NAME", "the layer that is looked at (default: the last whose output is larger than 1x1)",
         cs_arg_text, &args->network.layer},
        {"--class", "NAME", "for which class: predicted, true, or a name or number (default predicted)", cs_arg_text,
         &args->class},
        {"--split", "NAME", "explain images of the dataset: train, val or test", cs_arg_text, &args->split},
        {"--most", "N", "at most N of them, spread over the split (default: all)", cs_arg_positive, &args->most},
        {"--out", "DIR", "where files go (default explained)", cs_arg_text, &args->out},
        {"--trial", "NAME", "which trial of the results, such as t003 (default: the best that kept its weights)",
         cs_arg_text, &args->network.trial},
        {"--data", "FILE", "the dataset (default: that of the results)", cs_arg_text, &args->network.data},
        {"--faithfulness", NULL, "measure how far the network's confidence follows the maps", cs_arg_bool,
         &args->faithfulness},
        {"--colours", "NAME", "of maps: jet or viridis (default jet)", cs_arg_text, &args->colours},
        {"--batch", "N", "images that are explained at a time (default 16)", cs_arg_positive, &args->network.batch},
        {"--device", "NAME", "auto, cuda, cpu, onednn or ref (default auto)", cs_arg_text, &args->device},
        {"--threads", "N", "CPU threads (default: the cores that the process may use)", cs_arg_positive,
         &args->threads},
        {"--arch", "ARCH", "the network of a file of weights", cs_arg_text, &args->network.arch},
        CS_MODEL_ARG_ROWS(args->network.model),
        {"--help", NULL, "print this", cs_arg_bool, &args->help},
    };
    const cs_usage usage = {
        .line = "cnnsweep explain [options] RESULTS|WEIGHTS... [IMAGE...]",
        .doc = "Draws which parts of an image spoke for a class. RESULTS is a folder of `cnnsweep train` whose trials "
               "kept their weights\n(train.save_weights), WEIGHTS a file of weights (.h5, .safetensors) with --arch "
               "and --classes. Images are decoded, resized and\npreprocessed as in training. Writes for each image and "
               "method the picture with the map over it (.png) and the map alone\n(.map.png), all raw maps (maps.h5) "
               "and what is predicted (explained.csv). Several networks each get a folder, and panels show their maps "
               "of\nan image side by side: a column for each network, a row for the image and each method.",
        .operands = {"RESULTS|WEIGHTS"},
        .most = argc,
        .given = &args->n_operands,
        .args = rows,
        .n = sizeof rows / sizeof *rows,
        .help = &args->help};
    bool go_on = cs_command_parse(&usage, argc, argv, args->operands, exit_code);
    size_t n;
    const cs_explain_method *methods = cs_explain_methods(&n);
    if (args->help)
        puts("\nmethods:");
    for (size_t i = 0; args->help && i < n; i++)
        printf("  %-21s %s\n", methods[i].name, methods[i].doc);
    return go_on;
}

/* Finds the methods of a list. */
static cs_status choose_methods(session *s, const char *list) {
    char name[64];
    CS_TRY(cs_alloc(strlen(list) + 1, sizeof *s->methods, "methods", &s->methods));
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
        CS_TRY(cs_explain_method_find(name, &s->methods[s->n_methods]));
        for (int i = 0; i < s->n_methods; i++)
            if (s->methods[i] == s->methods[s->n_methods])
                return cs_fail(CS_ERR_ARG, "--method names %s twice", name);
        s->n_methods++;
    }
    return CS_OK;
}

static cs_status choose_colours(const char *name, cs_colormap *out) {
    *out = name && strcmp(name, "viridis") == 0 ? CS_COLORMAP_VIRIDIS : CS_COLORMAP_JET;
    if (name && strcmp(name, "jet") != 0 && strcmp(name, "viridis") != 0)
        return cs_fail(CS_ERR_ARG, "--colours %s: jet or viridis", name);
    return CS_OK;
}

/* The operands are networks first, and then images. */
static cs_status sort_operands(session *s) {
    const explain_args *args = s->args;
    while (s->n_networks < args->n_operands && cs_is_network(args->operands[s->n_networks]))
        s->n_networks++;
    s->n_images = args->n_operands - s->n_networks;
    s->files = args->operands + s->n_networks;
    for (int i = 0; i < s->n_images; i++)
        if (cs_is_network(s->files[i]))
            return cs_hint(cs_fail(CS_ERR_ARG, "%s follows an image", s->files[i]), "name networks first, then images");
    if (s->n_networks == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "%s is no results folder and no file of weights", args->operands[0]),
                       "such as results/NAME, or weights.h5 with --arch");
    if (args->split && s->n_images > 0)
        return cs_fail(CS_ERR_ARG, "--split %s and the image %s: one of the two", args->split, s->files[0]);
    if (!args->split && s->n_images == 0)
        return cs_hint(cs_fail(CS_ERR_ARG, "there are no images to explain"), "name image files, or --split test");
    return CS_OK;
}

static cs_status find_split(const char *name, cs_split *out) {
    for (int split = 0; split < CS_SPLIT_COUNT; split++)
        if (strcmp(cs_split_name((cs_split)split), name) == 0) {
            *out = (cs_split)split;
            return CS_OK;
        }
    return cs_fail(CS_ERR_ARG, "--split %s: train, val or test", name);
}

/* All networks are shown the same samples, so their datasets must have the same. */
static cs_status choose_samples(session *s) {
    const cs_dataset *first = s->networks[0].network.dataset;
    CS_TRY(find_split(s->args->split, &s->split));
    for (int k = 0; k < s->n_networks; k++) {
        const cs_dataset *dataset = s->networks[k].network.dataset;
        if (!dataset)
            return cs_hint(cs_fail(CS_ERR_ARG, "--split %s of which dataset?", s->args->split), "name it: --data FILE");
        if (cs_dataset_checksum(dataset) != cs_dataset_checksum(first))
            return cs_hint(cs_fail(CS_ERR_ARG, "%s and %s were trained on other splits or samples",
                                   s->networks[0].network.label, s->networks[k].network.label),
                           "name image files instead of --split");
    }
    const int64_t count = cs_dataset_count(first, s->split);
    s->files = NULL;
    s->n_images = (int)(s->args->most > 0 && s->args->most < count ? s->args->most : count);
    if (count == 0)
        return cs_fail(CS_ERR_ARG, "the split %s has no images", s->args->split);
    CS_TRY(cs_alloc((size_t)s->n_images, sizeof *s->samples, "samples", &s->samples));
    for (int i = 0; i < s->n_images; i++)
        s->samples[i] = i * count / s->n_images;
    return CS_OK;
}

static cs_status open_network(session *s, explained_network *e, const char *operand) {
    const size_t batch = (size_t)s->args->network.batch;
    CS_TRY(cs_network_open(operand, &s->args->network, s->engine, &e->network));
    e->shape = cs_explainer_input(e->network.explainer);
    const size_t places = batch * (size_t)e->shape.h * (size_t)e->shape.w, pixels = batch * cs_shape_count(e->shape);
    size_t largest = 0;
    for (int m = 0; m < s->n_methods; m++) {
        const size_t count = cs_shape_count(cs_explainer_shape(e->network.explainer, s->methods[m]));
        largest = count > largest ? count : largest;
    }
    CS_TRY(cs_alloc(pixels, 1, "images", &e->pixels));
    CS_TRY(cs_alloc(pixels, 1, "images", &e->overlays));
    CS_TRY(cs_alloc(pixels, sizeof *e->values, "images", &e->values));
    CS_TRY(cs_alloc(batch * (size_t)cs_network_classes(&e->network), sizeof *e->logits, "logits", &e->logits));
    CS_TRY(cs_alloc(batch * largest, sizeof *e->maps, "maps", &e->maps));
    CS_TRY(cs_alloc(places, sizeof *e->heats, "maps", &e->heats));
    CS_TRY(cs_alloc(batch, sizeof *e->truth, "classes", &e->truth));
    CS_TRY(cs_alloc(batch, sizeof *e->classes, "classes", &e->classes));
    return cs_alloc((size_t)s->n_methods, sizeof *e->faithful, "faithfulness", &e->faithful);
}

static void close_network(explained_network *e) {
    cs_output_abort(&e->output);
    cs_network_close(&e->network);
    free(e->pixels);
    free(e->overlays);
    free(e->values);
    free(e->logits);
    free(e->maps);
    free(e->heats);
    free(e->truth);
    free(e->classes);
    free(e->faithful);
}

static cs_status open_output(const session *s, explained_network *e, int k) {
    char folder[CS_PATH_MAX];
    CS_TRY(s->n_networks == 1 ? cs_path(folder, sizeof folder, "%s", s->args->out)
                              : cs_path(folder, sizeof folder, "%s/%d_%s", s->args->out, k + 1, e->network.label));
    const cs_output_spec spec = {folder, &e->network, s->methods, s->n_methods, s->n_images, s->colours};
    return cs_output_open(&spec, &e->output);
}

/* Loads the images [first, first + n) as the network gets them. */
static cs_status load_images(const session *s, explained_network *e, int first, int n) {
    const size_t size = cs_shape_count(e->shape);
    for (int i = 0; i < n; i++) {
        uint8_t *pixels = e->pixels + (size_t)i * size;
        float *values = e->values + (size_t)i * size;
        e->truth[i] = -1;
        if (s->files) {
            CS_TRY(cs_trial_input_file(e->network.input, s->files[first + i], pixels, values));
            continue;
        }
        CS_TRY(cs_trial_input_sample(e->network.input, s->split, s->samples[first + i], pixels, values));
        e->truth[i] = cs_dataset_label(e->network.dataset, s->split, s->samples[first + i]);
    }
    return CS_OK;
}

static cs_status choose_classes(const session *s, explained_network *e, int n) {
    const char *wanted = s->args->class;
    const int classes = cs_network_classes(&e->network);
    int32_t named = 0;
    const bool predicted = strcmp(wanted, "predicted") == 0, truth = strcmp(wanted, "true") == 0;
    if (!predicted && !truth)
        CS_TRY(cs_network_find_class(&e->network, wanted, &named));
    if (truth && s->files)
        return cs_hint(cs_fail(CS_ERR_ARG, "--class true: the class of %s is not known", s->files[0]),
                       "--split test, or --class predicted");
    for (int i = 0; i < n; i++) {
        const float *logits = e->logits + (size_t)i * (size_t)classes;
        int32_t best = 0;
        for (int k = 1; k < classes; k++)
            best = logits[k] > logits[best] ? k : best;
        e->classes[i] = truth ? e->truth[i] : predicted ? best : named;
    }
    return CS_OK;
}

static cs_status measure(const session *s, explained_network *e, int method, int n) {
    const cs_shape shape = cs_explainer_shape(e->network.explainer, s->methods[method]);
    const size_t places = (size_t)e->shape.h * (size_t)e->shape.w;
    const double share = (double)n / s->n_images;
    cs_faithfulness part;
    for (int i = 0; i < n; i++)
        CS_TRY(cs_explain_heat(e->maps + (size_t)i * cs_shape_count(shape), shape, e->shape.h, e->shape.w,
                               e->heats + (size_t)i * places));
    CS_TRY(cs_explain_faithfulness(e->network.explainer, e->values, e->classes, e->heats, n, true, &part));
    e->faithful[method].road += share * part.road;
    e->faithful[method].drop += share * part.drop;
    e->faithful[method].increase += share * part.increase;
    return CS_OK;
}

/* The pictures of a network and of a row of the panels; row 0 is the images themselves. */
static void keep_pictures(const session *s, int network, int row, const uint8_t *pixels, int n) {
    uint8_t *to = s->pictures[row * s->n_networks + network];
    if (to)
        memcpy(to, pixels, (size_t)n * cs_shape_count(s->networks[network].shape));
}

static cs_status explain_batch(const session *s, int k, int first, int n) {
    explained_network *e = &s->networks[k];
    CS_TRY(load_images(s, e, first, n));
    CS_TRY(cs_explainer_logits(e->network.explainer, e->values, n, e->logits));
    CS_TRY(choose_classes(s, e, n));
    const cs_explained batch = {first, n, s->ids, e->pixels, e->truth, e->classes, e->logits};
    CS_TRY(cs_output_images(e->output, &batch));
    keep_pictures(s, k, 0, e->pixels, n);
    for (int m = 0; m < s->n_methods; m++) {
        CS_TRY(cs_explain(e->network.explainer, s->methods[m], e->values, e->classes, n, e->maps));
        CS_TRY(cs_output_maps(e->output, &batch, m, e->maps, e->overlays));
        keep_pictures(s, k, m + 1, e->overlays, n);
        if (s->args->faithfulness)
            CS_TRY(measure(s, e, m, n));
    }
    return CS_OK;
}

static cs_status draw_panel(const session *s, cs_panel *panel, int i, int number) {
    char stem[CS_NAME_MAX * 2], path[CS_PATH_MAX];
    for (int row = 0; row <= s->n_methods; row++)
        for (int k = 0; k < s->n_networks; k++) {
            const cs_shape shape = s->networks[k].shape;
            const uint8_t *pictures = s->pictures[row * s->n_networks + k];
            CS_TRY(cs_panel_draw(panel, k, row, pictures + (size_t)i * cs_shape_count(shape), shape.h, shape.w));
        }
    cs_image_stem(number, s->ids[i], stem);
    CS_TRY(cs_path(path, sizeof path, "%s/%s.panel.png", s->args->out, stem));
    return cs_write_png(path, &panel->image);
}

static cs_status draw_panels(const session *s, int first, int n) {
    cs_panel panel;
    int h = 1, w = 1;
    for (int k = 0; k < s->n_networks; k++) {
        h = s->networks[k].shape.h > h ? s->networks[k].shape.h : h;
        w = s->networks[k].shape.w > w ? s->networks[k].shape.w : w;
    }
    const int factor = h < LEGIBLE ? (LEGIBLE + h - 1) / h : 1;
    cs_status status = cs_panel_open(s->n_networks, s->n_methods + 1, factor * h, factor * w, &panel);
    for (int i = 0; i < n && status == CS_OK; i++)
        status = draw_panel(s, &panel, i, first + i);
    cs_panel_close(&panel);
    return status;
}

static cs_status allocate_pictures(session *s) {
    const size_t batch = (size_t)s->args->network.batch;
    const int cells = (s->n_methods + 1) * s->n_networks;
    CS_TRY(cs_alloc(batch, sizeof *s->ids, "ids", &s->ids));
    CS_TRY(cs_alloc((size_t)cells, sizeof *s->pictures, "panels", &s->pictures));
    for (int i = 0; i < cells && s->n_networks > 1; i++)
        CS_TRY(cs_alloc(batch * cs_shape_count(s->networks[i % s->n_networks].shape), 1, "panels", &s->pictures[i]));
    return CS_OK;
}

static cs_status explain_all(session *s) {
    const int batch = s->args->network.batch;
    for (int first = 0; first < s->n_images; first += batch) {
        const int n = s->n_images - first < batch ? s->n_images - first : batch;
        for (int i = 0; i < n; i++)
            s->ids[i] = s->files ? s->files[first + i]
                                 : cs_dataset_id(s->networks[0].network.dataset, s->split, s->samples[first + i]);
        for (int k = 0; k < s->n_networks; k++)
            CS_TRY(explain_batch(s, k, first, n));
        if (s->n_networks > 1)
            CS_TRY(draw_panels(s, first, n));
    }
    for (int k = 0; k < s->n_networks; k++)
        CS_TRY(cs_output_commit(&s->networks[k].output));
    return CS_OK;
}

static void print_summary(const session *s) {
    for (int k = 0; k < s->n_networks; k++) {
        const explained_network *e = &s->networks[k];
        printf("%s: %s, layer %s, %d images of %dx%d\n", e->network.label, e->network.graph->arch,
               cs_explainer_layer(e->network.explainer), s->n_images, e->shape.w, e->shape.h);
        if (!s->args->faithfulness)
            continue;
        printf("  %-21s %8s %8s %8s\n", "method", "ROAD", "drop", "increase");
        for (int m = 0; m < s->n_methods; m++)
            printf("  %-21s %8.4f %8.4f %8.4f\n", s->methods[m]->name, e->faithful[m].road, e->faithful[m].drop,
                   e->faithful[m].increase);
    }
    printf("%s: maps.h5, explained.csv and the pictures%s\n", s->args->out,
           s->n_networks > 1 ? " of each network, and panels of all" : "");
}

static cs_status run(session *s) {
    const explain_args *args = s->args;
    const cs_engine_options options = {.threads = args->threads > 0 ? args->threads : cs_usable_cores(""),
                                       .local_ranks = 1};
    CS_TRY(choose_methods(s, args->methods));
    CS_TRY(choose_colours(args->colours, &s->colours));
    CS_TRY(sort_operands(s));
    CS_TRY(cs_engine_open(args->device, &options, &s->engine));
    CS_TRY(cs_alloc((size_t)s->n_networks, sizeof *s->networks, "networks", &s->networks));
    for (int k = 0; k < s->n_networks; k++)
        CS_TRY(open_network(s, &s->networks[k], args->operands[k]));
    if (args->split)
        CS_TRY(choose_samples(s));
    CS_TRY(allocate_pictures(s));
    for (int k = 0; k < s->n_networks; k++)
        CS_TRY(open_output(s, &s->networks[k], k));
    CS_TRY(explain_all(s));
    print_summary(s);
    return CS_OK;
}

static void close_session(session *s) {
    for (int k = 0; s->networks && k < s->n_networks; k++)
        close_network(&s->networks[k]);
    for (int i = 0; s->pictures && i < (s->n_methods + 1) * s->n_networks; i++)
        free(s->pictures[i]);
    free(s->networks);
    free(s->pictures);
    free(s->methods);
    free(s->samples);
    free(s->ids);
    cs_engine_close(s->engine);
}

int cs_command_explain(int argc, char **argv) {
    explain_args args = {
        .methods = "grad_cam", .class = "predicted", .out = "explained", .device = "auto", .network = {.batch = 16}};
    int exit_code = CS_EXIT_OK;
    cs_status status = cs_alloc((size_t)argc, sizeof *args.operands, "arguments", &args.operands);
    if (status == CS_OK && !parse(argc, argv, &args, &exit_code)) {
        free(args.operands);
        return exit_code;
    }
    session s = {.args = &args};
    if (status == CS_OK)
        status = run(&s);
    if (status != CS_OK)
        cs_log_error_last();
    close_session(&s);
    free(args.operands);
    return cs_exit_code(status);
}
