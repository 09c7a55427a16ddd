/* SPDX-License-Identifier: Apache-2.0 */
/* Tests which plans the CUDA engine chooses, and that it finds them again in the cache. The GPU is only described. */
#include "test.h"

#include "../../../src/engine/cuda/cudnn_graph.h"

#include "cnnsweep/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LAYERS = 5, KINDS = 3 };
/* A 3x3 convolution, one with stride 2 and TensorFlow's padding, a 1x1 convolution, and dense layers. */
static const cu_dims layers[LAYERS] = {{32, 56, 56, 64, 56, 56, 64, {3, 3, 1, 1, 1, 1, 1, 1}},
                                       {32, 56, 56, 64, 28, 28, 128, {3, 3, 2, 2, 0, 1, 0, 1}},
                                       {32, 28, 28, 128, 28, 28, 256, {1, 1, 1, 1, 0, 0, 0, 0}},
                                       {32, 1, 1, 1024, 1, 1, 7, {1, 1, 1, 1, 0, 0, 0, 0}},
                                       {32, 1, 1, 25, 1, 1, 10, {1, 1, 1, 1, 0, 0, 0, 0}}};

static char *description;

static int read_description(void **state) {
    (void)state;
    size_t size;
    assert_ok(cs_file_read(CS_TEST_SOURCE "/tests/engine/cuda_plans/h200.json", 1 << 16, &description, &size));
    return 0;
}

static int free_description(void **state) {
    (void)state;
    free(description);
    return 0;
}

static cu_dnn *open_dnn(cs_precision precision, bool deterministic, const char *folder) {
    cu_dnn *dnn;
    const cs_engine_options options = {
        .threads = 1, .precision = precision, .deterministic = deterministic, .plan_cache = folder};
    assert_ok(cu_dnn_open(NULL, description, &options, &dnn));
    return dnn;
}

/* The number of the engine in cu_conv_name. */
static int64_t chosen_engine(cu_dnn *dnn, const cu_conv_spec *spec) {
    cu_conv *conv;
    long long engine = -1;
    assert_ok(cu_conv_open(dnn, spec, &conv));
    assert_int_equal(sscanf(cu_conv_name(conv), "cudnn:engine %lld", &engine), 1);
    cu_conv_close(conv);
    return engine;
}

/* The numerical notes of an engine, as the heuristics report them. */
static unsigned notes_of(const cu_conv_spec *spec, int64_t engine) {
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    cu_target target;
    cu_graph *graph;
    cu_proposal proposals[CU_PROPOSALS];
    unsigned notes = 0;
    bool found = false;
    assert_ok(cu_target_describe(&target, description));
    assert_ok(cu_graph_open(&target, spec, false, &graph));
    for (int m = 0; m < 2; m++) {
        int n;
        assert_ok(cu_graph_propose(graph, modes[m], proposals, &n));
        for (int i = 0; i < n; i++)
            if (proposals[i].engine == engine) {
                notes |= proposals[i].numerical;
                found = true;
            }
    }
    assert_true(found);
    cu_graph_close(graph);
    cu_target_close(&target);
    return notes;
}

/* The union of the notes of all engines that are chosen for the layers, for every kind of convolution. */
static unsigned notes_of_all(cu_type type, cs_precision precision, bool deterministic) {
    cu_dnn *dnn = open_dnn(precision, deterministic, NULL);
    unsigned notes = 0;
    for (int i = 0; i < LAYERS * KINDS; i++) {
        cu_conv_spec spec = {.kind = (cu_conv_kind)(i % KINDS), .dims = layers[i / KINDS], .type = type};
        notes |= notes_of(&spec, chosen_engine(dnn, &spec));
    }
    cu_dnn_close(dnn);
    return notes;
}

static void only_tf32_uses_tensor_cores_for_floats(void **state) {
    (void)state;
    const unsigned tensor_cores = 1U << CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
    assert_int_equal(notes_of_all(CU_F32, CS_PRECISION_FP32, false) & tensor_cores, 0);
    assert_int_equal(notes_of_all(CU_F32, CS_PRECISION_TF32, false) & tensor_cores, tensor_cores);
}

static void deterministic_excludes_sums_without_a_fixed_order(void **state) {
    (void)state;
    const unsigned any_order = 1U << CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    assert_int_equal(notes_of_all(CU_F32, CS_PRECISION_FP32, false) & any_order, any_order);
    assert_int_equal(notes_of_all(CU_F32, CS_PRECISION_FP32, true) & any_order, 0);
    assert_int_equal(notes_of_all(CU_BF16, CS_PRECISION_BF16, true) & any_order, 0);
}

static void half_types_sum_in_fp32(void **state) {
    (void)state;
    const unsigned reduced = 1U << CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION;
    assert_int_equal(notes_of_all(CU_BF16, CS_PRECISION_BF16, false) & reduced, 0);
    assert_int_equal(notes_of_all(CU_F16, CS_PRECISION_FP16, false) & reduced, 0);
}

static void the_name_says_how_bias_and_activation_are_computed(void **state) {
    (void)state;
    static const struct {
        cu_type type;
        cs_activation activation;
        const char *name;
        bool has_bias;
    } rows[] = {{CU_F32, CS_ACT_RELU, "with bias and relu", true},
                {CU_F32, CS_ACT_RELU, "then bias and activation", false},
                {CU_F32, CS_ACT_SWISH, "then bias and activation", true},
                {CU_BF16, CS_ACT_RELU, "then bias and activation", true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cu_dnn *dnn = open_dnn(rows[i].type == CU_F32 ? CS_PRECISION_FP32 : CS_PRECISION_BF16, false, NULL);
        cu_conv_spec spec = {
            .dims = layers[0], .type = rows[i].type, .has_bias = rows[i].has_bias, .activation = rows[i].activation};
        cu_conv *conv;
        assert_ok(cu_conv_open(dnn, &spec, &conv));
        assert_non_null(strstr(cu_conv_name(conv), rows[i].name));
        cu_conv_close(conv);
        cu_dnn_close(dnn);
    }
}

/* The names and workspaces of all layers, one in each line. */
static char *open_all(const char *folder) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cu_dnn *dnn = open_dnn(CS_PRECISION_FP32, false, folder);
    for (int i = 0; i < LAYERS * KINDS; i++) {
        cu_conv_spec spec = {.kind = (cu_conv_kind)(i % KINDS),
                             .dims = layers[i / KINDS],
                             .has_bias = i % KINDS == CU_CONV_FORWARD,
                             .activation = i % KINDS == CU_CONV_FORWARD ? CS_ACT_RELU : CS_ACT_LINEAR};
        cu_conv *conv;
        assert_ok(cu_conv_open(dnn, &spec, &conv));
        fprintf(out, "%s, %zu bytes\n", cu_conv_name(conv), cu_conv_workspace(conv));
        cu_conv_close(conv);
    }
    cu_dnn_close(dnn);
    fclose(out);
    return text;
}

/* Counts the files of a folder. A file that is written again is another inode, so the sum of inodes detects it. `cut`:
 * truncates each file to half. */
static int count_files(const char *folder, bool cut, uint64_t *inodes) {
    int n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    *inodes = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char path[CS_PATH_MAX], *bytes;
        struct stat status;
        size_t size;
        if (entry->d_name[0] == '.')
            continue;
        assert_ok(cs_path(path, sizeof path, "%s/%s", folder, entry->d_name));
        assert_int_equal(stat(path, &status), 0);
        *inodes += (uint64_t)status.st_ino;
        n++;
        if (!cut)
            continue;
        assert_ok(cs_file_read(path, 1 << 20, &bytes, &size));
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size / 2, file), size / 2);
        fclose(file);
        free(bytes);
    }
    closedir(dir);
    return n;
}

static void a_second_start_reads_the_plans_from_the_folder(void **state) {
    (void)state;
    char folder[CS_PATH_MAX];
    uint64_t first, second;
    assert_ok(cs_path(folder, sizeof folder, "%s/plans", test_scratch()));
    char *searched = open_all(folder);
    assert_int_equal(count_files(folder, false, &first), LAYERS * KINDS);
    char *found = open_all(folder);
    assert_int_equal(count_files(folder, false, &second), LAYERS * KINDS);
    assert_string_equal(found, searched);
    assert_true(first == second);
    free(searched);
    free(found);
}

static void damaged_plans_are_replaced(void **state) {
    (void)state;
    char folder[CS_PATH_MAX];
    uint64_t first, second;
    assert_ok(cs_path(folder, sizeof folder, "%s/damaged", test_scratch()));
    char *searched = open_all(folder);
    count_files(folder, true, &first);
    char *again = open_all(folder);
    count_files(folder, false, &second);
    assert_string_equal(again, searched);
    assert_true(first != second);
    free(searched);
    free(again);
}

static void an_invalid_description_is_refused(void **state) {
    (void)state;
    cu_dnn *dnn;
    assert_fails(cu_dnn_open(NULL, "{\"deviceName\": 1", &(cs_engine_options){.threads = 1}, &dnn), CS_ERR_ARG,
                 "description of a GPU");
    assert_null(dnn);
}

static void the_message_names_an_impossible_shape(void **state) {
    (void)state;
    cu_dnn *dnn = open_dnn(CS_PRECISION_FP32, false, NULL);
    cu_conv_spec spec = {.dims = layers[0]};
    cu_conv *conv;
    spec.dims.out_h = 99;
    assert_fails(cu_conv_open(dnn, &spec, &conv), CS_ERR_ARG, "32x56x56x64 to 99x56x64");
    assert_null(conv);
    cu_dnn_close(dnn);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_tf32_uses_tensor_cores_for_floats),
        cmocka_unit_test(deterministic_excludes_sums_without_a_fixed_order),
        cmocka_unit_test(half_types_sum_in_fp32),
        cmocka_unit_test(the_name_says_how_bias_and_activation_are_computed),
        cmocka_unit_test(a_second_start_reads_the_plans_from_the_folder),
        cmocka_unit_test(damaged_plans_are_replaced),
        cmocka_unit_test(an_invalid_description_is_refused),
        cmocka_unit_test(the_message_names_an_impossible_shape),
    };
    return cmocka_run_group_tests(tests, read_description, free_description);
}
