/* SPDX-License-Identifier: Apache-2.0 */
/* Stores of rows: a row that was put, or computed by a program, must come back from its number bit for bit. An engine
 * without stores must report this. */
#include "cnnsweep/engine.h"
#include "cnnsweep/memory.h"
#include "device.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { H = 5, W = 4, ROW = H * W * 3, OUT = (H + 1) * W * 3, BATCH = 6, ROWS = 13 };

/* A program that outputs its input and a line of zeros. */
typedef struct padder {
    cs_engine *engine;
    cs_graph *graph;
    cs_params *params;
    cs_segment *segment;
    cs_program *program, *training;
} padder;

static padder open_padder(int channels) {
    padder p;
    int input, padded;
    const cs_engine_options options = test_engine_options(test_device(), 1);
    assert_ok(cs_engine_open(test_device(), &options, &p.engine));
    assert_ok(cs_graph_create("pad", &p.graph));
    assert_ok(cs_graph_input(p.graph, "input", H, W, channels, &input));
    assert_ok(cs_graph_zero_pad(p.graph, "pad", input, 1, 0, 0, 0, &padded));
    assert_ok(cs_params_create(p.graph, &p.params));
    assert_ok(cs_segment_create(p.graph, 0, p.graph->n_layers, &p.segment));
    cs_program_spec spec = {.segment = p.segment, .batch = BATCH, .mode = CS_MODE_INFER};
    assert_ok(cs_program_compile(p.engine, &spec, &p.program));
    spec.mode = CS_MODE_TRAIN;
    assert_ok(cs_program_compile(p.engine, &spec, &p.training));
    assert_ok(cs_program_load(p.program, CS_ARRAY_VALUE, p.params));
    return p;
}

static void close_padder(padder *p) {
    cs_program_free(p->program);
    cs_program_free(p->training);
    cs_segment_free(p->segment);
    cs_params_free(p->params);
    cs_graph_free(p->graph);
    cs_engine_close(p->engine);
}

static cs_store *open_store(const padder *p, size_t row_bytes, int most) {
    const cs_store_spec spec = {.rows = ROWS, .row_bytes = row_bytes, .most = most};
    cs_store *store;
    assert_ok(cs_store_open(p->engine, &spec, &store));
    return store;
}

static uint8_t pixel(int64_t row, int round, int i) {
    return (uint8_t)(row * 17 + round * 101 + i * 3);
}

static cs_picture still[BATCH]; /* main sets these */
static const cs_pictures plain = {.preprocess = {.multiply = {1, 1, 1}}};

/* Row rows[i] of the store, read through the program, must be what round rounds[rows[i]] put there. */
static void check_pixels(const padder *p, const cs_store *store, const int64_t *rows, int n, const int *rounds) {
    float output[BATCH * OUT];
    cs_pictures pictures = plain;
    pictures.store = store;
    pictures.rows = rows;
    pictures.changes = still;
    assert_ok(cs_program_set_pictures(p->program, 0, &pictures, n));
    assert_ok(cs_program_forward(p->program, n));
    assert_ok(cs_program_get_output(p->program, 0, output, n));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < ROW; k++)
            assert_true(output[i * OUT + W * 3 + k] == (float)pixel(rows[i], rounds[rows[i]], k));
}

/* Puts more often in sequence than there are buffers, in any order, and overwrites earlier rows. */
static void rows_are_found_under_their_numbers(void **state) {
    (void)state;
    enum { ROUNDS = 9 };
    padder p = open_padder(3);
    cs_store *store = open_store(&p, ROW, BATCH);
    int rounds[ROWS] = {0};
    uint8_t bytes[BATCH * ROW] = {0};
    for (int64_t row = 0; row < ROWS; row++) {
        for (int k = 0; k < ROW; k++)
            bytes[k] = pixel(row, 0, k);
        assert_ok(cs_store_put(store, &row, bytes, 1));
    }
    for (int round = 1; round < ROUNDS; round++) {
        int64_t rows[BATCH];
        int n = 1 + round % BATCH;
        for (int i = 0; i < n; i++) {
            rows[i] = (round * 7 + i * 5) % ROWS;
            rounds[rows[i]] = round;
            for (int k = 0; k < ROW; k++)
                bytes[i * ROW + k] = pixel(rows[i], round, k);
        }
        assert_ok(cs_store_put(store, rows, bytes, n));
        memset(bytes, 0, sizeof bytes); /* the caller may overwrite the bytes after the call */
        if (round % 3 == 0)
            check_pixels(&p, store, rows, n, rounds);
    }
    for (int64_t row = 0; row < ROWS; row++)
        check_pixels(&p, store, (const int64_t[]){row, (row + 5) % ROWS}, 2, rounds);
    cs_store_close(store);
    close_padder(&p);
}

/* Also tests rows of odd sizes: those of 2 and 4 channels are copied in parts of other sizes. */
static void stored_outputs_are_restored(void **state) {
    (void)state;
    for (int channels = 1; channels <= 4; channels++) {
        static const int64_t places[BATCH] = {11, 3, 0, 12, 7, 4}, mixed[BATCH] = {12, 12, 0, 4, 11, 3};
        static const int from[BATCH] = {3, 3, 2, 5, 0, 1};
        size_t in = (size_t)H * W * (size_t)channels, out = in + (size_t)W * (size_t)channels;
        float input[BATCH * ROW * 2], made[BATCH * OUT * 2], got[BATCH * OUT * 2];
        padder p = open_padder(channels);
        cs_store *store = open_store(&p, out * cs_engine_value_bytes(p.engine), 0);
        for (size_t i = 0; i < BATCH * in; i++)
            input[i] = (float)(int)(i % 251) - 100.5f;
        assert_ok(cs_program_set_input(p.program, 0, input, BATCH));
        assert_ok(cs_program_forward(p.program, BATCH));
        assert_ok(cs_program_get_output(p.program, 0, made, BATCH));
        assert_ok(cs_program_keep_output(p.program, 0, store, places, BATCH));
        assert_ok(cs_program_use_output(p.program, 0, store, mixed, BATCH));
        assert_ok(cs_program_get_output(p.program, 0, got, BATCH));
        for (int i = 0; i < BATCH; i++)
            assert_memory_equal(got + (size_t)i * out, made + (size_t)from[i] * out, out * sizeof *got);
        cs_store_close(store);
        close_padder(&p);
    }
}

static void wrong_calls_are_refused(void **state) {
    (void)state;
    static const int64_t rows[2] = {ROWS - 1, ROWS};
    uint8_t bytes[2 * ROW] = {0};
    padder p = open_padder(3), gray = open_padder(1);
    cs_store *store = open_store(&p, ROW, 1), *none, *other = open_store(&gray, ROW, 1);
    cs_pictures pictures = plain;
    cs_store_spec spec = {.rows = 0, .row_bytes = ROW};
    pictures.store = store;
    pictures.rows = rows;
    pictures.changes = still;
    assert_fails(cs_store_open(p.engine, &spec, &none), CS_ERR_ARG, "a store of 0 rows of 60 bytes");
    assert_null(none);
    assert_fails(cs_store_put(store, rows, bytes, 2), CS_ERR_ARG, "put: 2 rows into a store that takes 1 at a time");
    assert_fails(cs_store_put(store, rows + 1, bytes, 1), CS_ERR_ARG, "put: row 13 of a store of 13");
    assert_fails(cs_program_set_pictures(p.program, 0, &pictures, 2), CS_ERR_ARG, "row 13 of a store of 13");
    assert_fails(cs_program_set_pictures(p.program, 0, &pictures, BATCH + 1), CS_ERR_ARG, "set_pictures: 7 rows");
    assert_fails(cs_program_set_pictures(p.program, 1, &pictures, 1), CS_ERR_ARG, "the segment has no input 1");
    assert_fails(cs_program_set_pictures(gray.program, 0, &pictures, 1), CS_ERR_SHAPE, "not pixels of 3 channels");
    pictures.store = other;
    assert_fails(cs_program_set_pictures(p.program, 0, &pictures, 1), CS_ERR_ARG, "belongs to another engine");
    assert_fails(cs_program_use_output(p.program, 0, store, rows, 1), CS_ERR_SHAPE, "but the store's have 60");
    assert_fails(cs_program_use_output(p.training, 0, store, rows, 1), CS_ERR_ARG, "compiled for training");
    assert_fails(cs_program_keep_output(p.program, 0, store, rows, 1), CS_ERR_ARG, "the last forward ran on 0");
    cs_store_close(NULL);
    cs_store_close(store);
    cs_store_close(other);
    close_padder(&p);
    close_padder(&gray);
}

static void an_engine_without_stores_reports_it(void **state) {
    (void)state;
    const cs_engine_options options = {.threads = 1};
    const cs_store_spec spec = {.rows = 1, .row_bytes = 1};
    cs_engine *engine;
    cs_store *store;
    assert_ok(cs_engine_open("ref", &options, &engine));
    assert_false(cs_engine_has_stores(engine));
    assert_fails(cs_store_open(engine, &spec, &store), CS_ERR_UNSUPPORTED, "engine ref has no stores");
    cs_engine_close(engine);
}

static bool has_stores(void) {
    const cs_engine_options options = test_engine_options(test_device(), 1);
    cs_engine *engine;
    assert_ok(cs_engine_open(test_device(), &options, &engine));
    bool has = cs_engine_has_stores(engine);
    cs_engine_close(engine);
    return has;
}

int main(void) {
    const struct CMUnitTest without[] = {cmocka_unit_test(an_engine_without_stores_reports_it)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_under_their_numbers),
        cmocka_unit_test(stored_outputs_are_restored),
        cmocka_unit_test(wrong_calls_are_refused),
    };
    for (int i = 0; i < BATCH; i++)
        cs_picture_init(&still[i], H, W);
    int failures = cmocka_run_group_tests(without, NULL, NULL);
    return has_stores() ? failures + cmocka_run_group_tests(tests, NULL, NULL) : failures;
}
