/* SPDX-License-Identifier: Apache-2.0 */
/* The printed map of ranks and nodes, for imaginary clusters. */
#include "test.h"

#include "run/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 };

static cs_placement *placements; /* [MOST] */
static char *out, *warnings;

static int prepare(void **state) {
    (void)state;
    placements = calloc(MOST, sizeof *placements);
    return placements ? 0 : -1;
}

static int clean(void **state) {
    (void)state;
    free(out);
    free(warnings);
    free(placements);
    out = warnings = NULL;
    return 0;
}

/* Places `each` ranks of one thread on each of the nodes n1, n2, ..., cyclically over the nodes or node after node;
 * every rank has its own core. */
static void place_ranks(int n_nodes, int each, bool cyclic) {
    for (int i = 0; i < n_nodes * each; i++) {
        placements[i] = (cs_placement){.threads = 1, .cores = 1, .node_cores = each};
        snprintf(placements[i].node, sizeof placements[i].node, "n%d", 1 + (cyclic ? i % n_nodes : i / each));
    }
}

static void give_gpu(cs_placement *placement, int seen, int own) {
    placement->place.gpus = seen;
    snprintf(placement->place.gpu, sizeof placement->place.gpu, "bus:%d", own);
    snprintf(placement->place.text, sizeof placement->place.text, "GPU: of a kind");
}

static void print(int n) {
    size_t size;
    FILE *printed = open_memstream(&out, &size), *warned = open_memstream(&warnings, &size);
    assert_ok(cs_placements_print(placements, n, printed, warned));
    fclose(printed);
    fclose(warned);
}

static void a_single_rank_has_no_map(void **state) {
    (void)state;
    place_ranks(1, 1, false);
    print(1);
    assert_string_equal(out, "");
    assert_string_equal(warnings, "");
}

static void a_few_nodes_are_all_named(void **state) {
    (void)state;
    place_ranks(2, 4, false);
    print(8);
    assert_string_equal(out, "ranks    n1: 0-3, n2: 4-7\n");
    assert_string_equal(warnings, "");
}

static void ranks_placed_cyclically_are_listed(void **state) {
    (void)state;
    place_ranks(3, 2, true);
    print(6);
    assert_string_equal(out, "ranks    n1: 0,3, n2: 1,4, n3: 2,5\n");
}

static void many_equal_nodes_are_one_line(void **state) {
    (void)state;
    place_ranks(128, 32, false);
    print(4096);
    assert_string_equal(out, "ranks    n1: 0-31 ... n128: 4064-4095 (128 nodes alike)\n");
}

static void many_ranks_placed_cyclically_are_one_line(void **state) {
    (void)state;
    place_ranks(64, 64, true);
    print(4096);
    assert_true(strlen(out) < 200);
    assert_non_null(strstr(out, "n1: 0,64,128,192,256,320,384,448,... ... n64: 63,"));
}

static void a_node_that_differs_is_named(void **state) {
    (void)state;
    place_ranks(9, 4, false);
    snprintf(placements[19].node, sizeof placements[19].node, "n6");
    print(36);
    assert_string_equal(out,
                        "ranks    n1: 0-3 ... n4: 12-15 (4 nodes alike), n5: 16-18, n6: 19-23, n7: 24-27, n8: 28-31, "
                        "n9: 32-35\n");
}

static void a_long_list_of_different_nodes_is_cut_off(void **state) {
    (void)state;
    int n = 0;
    for (int k = 0; k < 40; k++)
        for (int i = 0; i <= k % 2; i++) {
            placements[n] = (cs_placement){.threads = 1, .cores = 1, .node_cores = 2};
            snprintf(placements[n++].node, sizeof placements[0].node, "n%d", k);
        }
    print(n);
    assert_true(strlen(out) < 200);
    assert_non_null(strstr(out, "n7: 10-11, ...\n"));
}

static void what_holds_for_all_nodes_is_printed_once(void **state) {
    (void)state;
    place_ranks(3, 2, false);
    for (int i = 0; i < 6; i++)
        snprintf(placements[i].place.text, sizeof placements[i].place.text, "the CPU");
    print(6);
    assert_string_equal(out, "ranks    n1: 0-1, n2: 2-3, n3: 4-5\nthe CPU\n");
}

static void what_holds_for_some_nodes_names_them(void **state) {
    (void)state;
    place_ranks(3, 2, false);
    for (int i = 0; i < 6; i++)
        snprintf(placements[i].place.text, sizeof placements[i].place.text, i == 2 || i == 5 ? "no driver" : "no GPU");
    print(6);
    assert_non_null(strstr(out, "no GPU [n1: 0-1, n2: 3, n3: 4]\nno driver [n2: 2, n3: 5]\n"));
}

static void one_rank_for_each_gpu_gives_no_warning(void **state) {
    (void)state;
    place_ranks(2, 4, false);
    for (int i = 0; i < 8; i++)
        give_gpu(&placements[i], 4, i % 4);
    print(8);
    assert_string_equal(out, "ranks    n1: 0-3 on 4 GPUs, n2: 4-7 on 4 GPUs\nGPU: of a kind\n");
    assert_string_equal(warnings, "");
}

/* srun --gpus-per-task=1 shows each rank one GPU. */
static void ranks_that_see_only_their_own_gpu_share_none(void **state) {
    (void)state;
    place_ranks(1, 4, false);
    for (int i = 0; i < 4; i++)
        give_gpu(&placements[i], 1, i);
    print(4);
    assert_non_null(strstr(out, "n1: 0-3 on 4 GPUs\n"));
    assert_string_equal(warnings, "");
}

static void more_ranks_than_gpus_is_warned_of(void **state) {
    (void)state;
    place_ranks(2, 4, false);
    for (int i = 0; i < 8; i++)
        give_gpu(&placements[i], i < 4 ? 4 : 2, i % (i < 4 ? 4 : 2));
    print(8);
    assert_string_equal(warnings, "4 ranks share 2 GPUs of the node: a rank a GPU is best, --ntasks-per-node=2 "
                                  "[n2: 4-7 on 2 GPUs]\n");
}

static void fewer_ranks_than_gpus_is_warned_of(void **state) {
    (void)state;
    place_ranks(1, 2, false);
    for (int i = 0; i < 2; i++)
        give_gpu(&placements[i], 8, i);
    print(2);
    assert_string_equal(warnings, "2 ranks on 8 GPUs of the node, 6 idle: a rank a GPU is best, --ntasks-per-node=8\n");
}

static void unused_gpus_of_slurm_are_warned_of(void **state) {
    (void)state;
    place_ranks(1, 2, false);
    placements[0].slurm_gpus = placements[1].slurm_gpus = 2;
    print(2);
    assert_string_equal(warnings, "Slurm gave the node 2 GPUs, and the CPU computes\n");
}

static const struct {
    int threads, cores, node_cores, slurm;
    const char *warning;
} counts[] = {
    {8, 1, 2, 8, "8 threads a rank, which may run on 1 core: mpirun --bind-to none, or srun --cpus-per-task=8"},
    {1, 1, 2, 8, "SLURM_CPUS_PER_TASK is 8, but a rank may run on 1 core: mpirun --bind-to none"},
    {4, 16, 16, 2, "4 threads a rank, but SLURM_CPUS_PER_TASK is 2: ask for --cpus-per-task=4"},
    {1, 16, 16, 8, "1 thread a rank, but SLURM_CPUS_PER_TASK is 8: threads: 8 uses all"},
    {8, 12, 12, 0, "2 ranks, 16 threads in all, on 12 cores of the node"},
    {8, 16, 16, 8, ""},
    {8, 8, 16, 0, ""},
    {1, 16, 16, 0, "1 thread a rank where 8 fit: as many as the sweep began with, or as fit on another node"},
};

static void threads_are_compared_with_cores_and_slurm(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        place_ranks(1, 2, false);
        for (int r = 0; r < 2; r++) {
            placements[r].threads = counts[i].threads;
            placements[r].cores = counts[i].cores;
            placements[r].node_cores = counts[i].node_cores;
            placements[r].slurm_cpus = counts[i].slurm;
        }
        print(2);
        assert_memory_equal(warnings, counts[i].warning, strlen(counts[i].warning));
        assert_int_equal(warnings[0] == '\0', counts[i].warning[0] == '\0');
        free(out);
        free(warnings);
        out = warnings = NULL;
    }
}

/* Ranks that an mpirun, which may run on more cores, binds to cores of their own. */
static const struct {
    int ranks, threads, node_cores, launcher, slurm;
    bool asked;
    const char *warning;
} bindings[] = {
    {1, 1, 1, 16, 0, false,
     "1 of 16 cores of the node is used, to which mpirun binds the rank: mpirun --bind-to none, or srun "
     "--cpus-per-task=16, gives all; threads: 1 keeps it so\n"},
    {2, 1, 2, 16, 0, false,
     "2 of 16 cores of the node are used, to which mpirun binds the ranks: mpirun --bind-to none, or srun "
     "--cpus-per-task=8, gives all; threads: 1 keeps it so\n"},
    {3, 4, 12, 16, 0, false,
     "12 of 16 cores of the node are used, to which mpirun binds the ranks: mpirun --bind-to none, or srun "
     "--cpus-per-task=5, gives all; threads: 4 keeps it so\n"},
    {1, 16, 16, 16, 0, false, ""},
    {4, 1, 4, 4, 0, false, ""},
    {1, 1, 1, 16, 0, true, ""},
    {1, 1, 1, 16, 1, false, ""},
    {1, 1, 1, 0, 0, false, ""},
    {1, 1, 1, 1, 0, false, ""},
};

static void cores_that_mpirun_withholds_are_warned_of_unless_asked_for(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++) {
        int ranks = bindings[i].ranks;
        place_ranks(1, ranks, false);
        for (int r = 0; r < ranks; r++) {
            placements[r].threads = bindings[i].threads;
            placements[r].threads_asked = bindings[i].asked;
            placements[r].cores = bindings[i].node_cores / ranks;
            placements[r].node_cores = bindings[i].node_cores;
            placements[r].launcher_cores = bindings[i].launcher;
            placements[r].slurm_cpus = bindings[i].slurm;
        }
        print(ranks);
        assert_string_equal(warnings, bindings[i].warning);
        free(out);
        free(warnings);
        out = warnings = NULL;
    }
}

static void only_nodes_with_unused_cores_are_named(void **state) {
    (void)state;
    place_ranks(3, 2, false);
    for (int i = 0; i < 6; i++)
        placements[i].launcher_cores = i < 2 ? 2 : 8;
    print(6);
    assert_non_null(strstr(warnings, "2 of 8 cores of the node are used, "));
    assert_non_null(strstr(warnings, " [n2: 2-3, n3: 4-5]\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, prepare, clean)
        T(a_single_rank_has_no_map),
        T(a_few_nodes_are_all_named),
        T(ranks_placed_cyclically_are_listed),
        T(many_equal_nodes_are_one_line),
        T(many_ranks_placed_cyclically_are_one_line),
        T(a_node_that_differs_is_named),
        T(a_long_list_of_different_nodes_is_cut_off),
        T(what_holds_for_all_nodes_is_printed_once),
        T(what_holds_for_some_nodes_names_them),
        T(one_rank_for_each_gpu_gives_no_warning),
        T(ranks_that_see_only_their_own_gpu_share_none),
        T(more_ranks_than_gpus_is_warned_of),
        T(fewer_ranks_than_gpus_is_warned_of),
        T(unused_gpus_of_slurm_are_warned_of),
        T(threads_are_compared_with_cores_and_slurm),
        T(cores_that_mpirun_withholds_are_warned_of_unless_asked_for),
        T(only_nodes_with_unused_cores_are_named),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
