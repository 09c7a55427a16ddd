/* SPDX-License-Identifier: Apache-2.0 */
#include "cnnsweep/memory.h"
#include "launch.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 2048 };

typedef struct node {
    int first;          /* its first rank */
    int ranks, threads; /* of all its ranks together */
    int gpus; /* the most that one rank sees, or if that is more the number of different ones its ranks have */
} node;

/* The ranks and nodes of a run, and the ranks that the current line is about. */
typedef struct rank_map {
    const cs_placement *placements;
    int n, n_nodes;
    int *node_of;  /* [n] */
    node *nodes;   /* [n_nodes] in the order of their first ranks */
    bool *chosen;  /* [n] the current line is about this rank */
    bool *printed; /* [n] this check's line for the rank was printed */
} rank_map;

static int find_node(const rank_map *map, const char *name) {
    int k = 0;
    while (k < map->n_nodes && strcmp(map->placements[map->nodes[k].first].node, name) != 0)
        k++;
    return k;
}

static bool is_first_on_its_gpu(const rank_map *map, int rank) {
    for (int i = map->nodes[map->node_of[rank]].first; i < rank; i++)
        if (map->node_of[i] == map->node_of[rank] &&
            strcmp(map->placements[i].place.gpu, map->placements[rank].place.gpu) == 0)
            return false;
    return map->placements[rank].place.gpus > 0;
}

static void count_gpus(rank_map *map, int k) {
    int taken = 0, seen = 0;
    for (int i = map->nodes[k].first; i < map->n; i++) {
        if (map->node_of[i] != k)
            continue;
        taken += is_first_on_its_gpu(map, i);
        seen = map->placements[i].place.gpus > seen ? map->placements[i].place.gpus : seen;
    }
    map->nodes[k].gpus = taken > seen ? taken : seen;
}

static void rank_map_close(rank_map *map) {
    free(map->node_of);
    free(map->nodes);
    free(map->chosen);
    free(map->printed);
}

static cs_status rank_map_open(const cs_placement *placements, int n, rank_map *map) {
    cs_status status;
    *map = (rank_map){.placements = placements, .n = n};
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *map->node_of, "ranks", &map->node_of), failed);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *map->nodes, "nodes", &map->nodes), failed);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *map->chosen, "ranks", &map->chosen), failed);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *map->printed, "ranks", &map->printed), failed);
    for (int i = 0; i < n; i++) {
        int k = map->node_of[i] = find_node(map, placements[i].node);
        if (k == map->n_nodes)
            map->nodes[map->n_nodes++].first = i;
        map->nodes[k].ranks++;
        map->nodes[k].threads += placements[i].threads;
    }
    for (int k = 0; k < map->n_nodes; k++)
        count_gpus(map, k);
    return CS_OK;
failed:
    rank_map_close(map);
    return status;
}

/* Prints which ranks run on which node. */

static int count_chosen(const rank_map *map, int k) {
    int count = 0;
    for (int i = map->nodes[k].first; i < map->n; i++)
        count += map->chosen[i] && map->node_of[i] == k;
    return count;
}

/* "n1: 0-3,8" */
static void print_node(const rank_map *map, int k, FILE *out) {
    enum { SHOWN = 8 };
    int shown = 0;
    fprintf(out, "%s: ", map->placements[map->nodes[k].first].node);
    for (int i = map->nodes[k].first; i < map->n; i++) {
        int last = i;
        if (!map->chosen[i] || map->node_of[i] != k)
            continue;
        if (shown++ == SHOWN) {
            fputs(",...", out);
            break;
        }
        while (last + 1 < map->n && map->chosen[last + 1] && map->node_of[last + 1] == k)
            last++;
        fprintf(out, last > i ? "%s%d-%d" : "%s%d", shown > 1 ? "," : "", i, last);
        i = last;
    }
    if (map->nodes[k].gpus > 0)
        fprintf(out, " on %d GPU%s", map->nodes[k].gpus, map->nodes[k].gpus == 1 ? "" : "s");
}

/* The last of the nodes from k on that look like node k, and how many they are. */
static int find_alike(const rank_map *map, int k, int *count) {
    int last = k, chosen = count_chosen(map, k);
    *count = 1;
    for (int next = k + 1; next < map->n_nodes; next++) {
        int there = count_chosen(map, next);
        if (there > 0 && (there != chosen || map->nodes[next].gpus != map->nodes[k].gpus))
            break;
        if (there == 0)
            continue;
        last = next;
        ++*count;
    }
    return last;
}

static void print_nodes(const rank_map *map, FILE *out) {
    enum { FOLDED = 4, SHOWN = 8 };
    int shown = 0;
    for (int k = 0; k < map->n_nodes; k++) {
        int alike, last;
        if (count_chosen(map, k) == 0)
            continue;
        if (shown > 0)
            fputs(", ", out);
        if (shown++ == SHOWN) {
            fputs("...", out);
            return;
        }
        print_node(map, k, out);
        last = find_alike(map, k, &alike);
        if (alike < FOLDED)
            continue;
        fputs(" ... ", out);
        print_node(map, last, out);
        fprintf(out, " (%d nodes alike)", alike);
        k = last;
    }
}

/* Checks. */

/* Writes the check's line about a rank; "": there is none. */
typedef void check(const cs_placement *placement, const node *own, char *out, size_t size);

static void describe_device(const cs_placement *placement, const node *own, char *out, size_t size) {
    (void)own;
    snprintf(out, size, "%s", placement->place.text);
}

static const char *plural(int n) {
    return n == 1 ? "" : "s";
}

static void check_gpus(const cs_placement *placement, const node *own, char *out, size_t size) {
    int ranks = own->ranks, gpus = own->gpus;
    if (gpus == 0 && placement->slurm_gpus > 0)
        snprintf(out, size, "Slurm gave the node %d GPU%s, and the CPU computes", placement->slurm_gpus,
                 plural(placement->slurm_gpus));
    else if (gpus > 0 && ranks > gpus)
        snprintf(out, size, "%d ranks share %d GPU%s of the node: a rank a GPU is best, --ntasks-per-node=%d", ranks,
                 gpus, plural(gpus), gpus);
    else if (ranks < gpus)
        snprintf(out, size, "%d rank%s on %d GPUs of the node, %d idle: a rank a GPU is best, --ntasks-per-node=%d",
                 ranks, plural(ranks), gpus, gpus - ranks, gpus);
}

/* mpirun binds a rank to one core by default, and srun does not take --cpus-per-task from the job. */
#define GIVE_MORE "mpirun --bind-to none, or srun --cpus-per-task=%d, gives it more"

static void check_threads(const cs_placement *placement, const node *own, char *out, size_t size) {
    int threads = placement->threads, cores = placement->cores, slurm = placement->slurm_cpus;
    if (cores < threads)
        snprintf(out, size, "%d threads a rank, which may run on %d core%s: " GIVE_MORE ", threads: %d asks for fewer",
                 threads, cores, plural(cores), threads, cores);
    else if (cores < slurm)
        snprintf(out, size, "SLURM_CPUS_PER_TASK is %d, but a rank may run on %d core%s: " GIVE_MORE, slurm, cores,
                 plural(cores), slurm);
    else if (slurm > 0 && threads > slurm)
        snprintf(out, size, "%d threads a rank, but SLURM_CPUS_PER_TASK is %d: ask for --cpus-per-task=%d", threads,
                 slurm, threads);
    else if (threads < slurm)
        snprintf(out, size, "%d thread%s a rank, but SLURM_CPUS_PER_TASK is %d: threads: %d uses all", threads,
                 plural(threads), slurm, slurm);
    else if (own->threads > placement->node_cores)
        snprintf(out, size, "%d ranks, %d threads in all, on %d core%s of the node: fewer are faster", own->ranks,
                 own->threads, placement->node_cores, plural(placement->node_cores));
}

/* mpirun binds one or two ranks to a core each, more to a socket each or, from Open MPI 5 on, a NUMA node. --bind-to
 * none is right for any number of ranks in 4.1 and 5: threads then share what mpirun has. --map-by slot:PE=n would give
 * each rank cores of its own, but it does not count hardware threads, and it fails if n is too large. If Slurm sets the
 * CPUs of a task, the user asked for that number, and check_threads compares it with the cores. */
static void check_unused_cores(const cs_placement *placement, const node *own, char *out, size_t size) {
    int used = placement->node_cores, given = placement->launcher_cores,
        each = given > own->ranks ? given / own->ranks : 1;
    if (placement->threads_asked || placement->slurm_cpus > 0 || used >= given)
        return;
    snprintf(out, size,
             "%d of %d cores of the node %s used, to which mpirun binds the rank%s: mpirun --bind-to none, or srun "
             "--cpus-per-task=%d, gives all; threads: %d keeps it so",
             used, given, used == 1 ? "is" : "are", plural(own->ranks), each, placement->threads);
}

/* All ranks use the same number of threads, and a resumed sweep uses the number that it began with. */
static void check_fewer_threads(const cs_placement *placement, const node *own, char *out, size_t size) {
    int share = placement->node_cores / own->ranks;
    share = share < placement->cores ? share : placement->cores;
    if (placement->threads_asked || placement->threads >= share)
        return;
    if (placement->busy_cores > 0)
        snprintf(out, size,
                 "%d thread%s a rank, as other programs keep %d of %d cores busy; threads: %d takes them all",
                 placement->threads, plural(placement->threads), placement->busy_cores, placement->node_cores, share);
    else
        snprintf(out, size,
                 "%d thread%s a rank where %d fit: as many as the sweep began with, or as fit on another node; "
                 "threads: %d takes them all",
                 placement->threads, plural(placement->threads), share, share);
}

static const struct check_row {
    bool warns; /* the line is a warning */
    check *describe;
} checks[] = {{false, describe_device},
              {true, check_gpus},
              {true, check_threads},
              {true, check_unused_cores},
              {true, check_fewer_threads}};

static void describe_rank(const rank_map *map, const struct check_row *row, int rank, char out[LINE_MAX_BYTES]) {
    out[0] = '\0';
    row->describe(&map->placements[rank], &map->nodes[map->node_of[rank]], out, LINE_MAX_BYTES);
}

/* Prints the line of one rank, with the other ranks for which it is the same. */
static void print_line(rank_map *map, const struct check_row *row, int rank, const char *line, FILE *out) {
    char other[LINE_MAX_BYTES];
    int count = 0;
    for (int i = 0; i < map->n; i++) {
        map->chosen[i] = false;
        if (i < rank || map->printed[i])
            continue;
        describe_rank(map, row, i, other);
        map->chosen[i] = map->printed[i] = strcmp(line, other) == 0;
        count += map->chosen[i];
    }
    fputs(line, out);
    if (count < map->n) {
        fputs(" [", out);
        print_nodes(map, out);
        fputc(']', out);
    }
    fputc('\n', out);
}

static void print_check(rank_map *map, const struct check_row *row, FILE *out) {
    enum { SHOWN = 8 };
    char line[LINE_MAX_BYTES];
    int shown = 0;
    memset(map->printed, 0, (size_t)map->n * sizeof *map->printed);
    for (int i = 0; i < map->n && shown < SHOWN; i++) {
        if (map->printed[i])
            continue;
        describe_rank(map, row, i, line);
        if (!line[0])
            continue;
        shown++;
        print_line(map, row, i, line, out);
    }
}

cs_status cs_placements_print(const cs_placement *placements, int n, FILE *out, FILE *warnings) {
    rank_map map;
    CS_TRY(rank_map_open(placements, n, &map));
    if (n > 1) {
        memset(map.chosen, 1, (size_t)n * sizeof *map.chosen);
        fputs("ranks    ", out);
        print_nodes(&map, out);
        fputc('\n', out);
    }
    for (size_t r = 0; r < sizeof checks / sizeof *checks; r++)
        print_check(&map, &checks[r], checks[r].warns ? warnings : out);
    rank_map_close(&map);
    return CS_OK;
}
