#include "cnnsweep/memory.h"
#include "launch.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 2048 };

typedef struct host {
    int first; /* of its ranks */
    int ranks, threads;
    int gpus; /* that its ranks see at most, or have, all together: each may be shown its own alone */
} host;

/* The ranks of a program, and which of them are spoken of. */
typedef struct crowd {
    const cs_seat *seats;
    int n, n_nodes;
    int *node_of; /* [n] */
    host *nodes;  /* [n_nodes] in the order of their first ranks */
    bool *chosen; /* [n] */
    bool *told;   /* [n] */
} crowd;

static int find_node(const crowd *c, const char *name) {
    int k = 0;
    while (k < c->n_nodes && strcmp(c->seats[c->nodes[k].first].node, name) != 0)
        k++;
    return k;
}

static bool is_first_on_its_gpu(const crowd *c, int rank) {
    for (int i = c->nodes[c->node_of[rank]].first; i < rank; i++)
        if (c->node_of[i] == c->node_of[rank] && strcmp(c->seats[i].place.gpu, c->seats[rank].place.gpu) == 0)
            return false;
    return c->seats[rank].place.gpus > 0;
}

static void count_gpus(crowd *c, int k) {
    int taken = 0, seen = 0;
    for (int i = c->nodes[k].first; i < c->n; i++) {
        if (c->node_of[i] != k)
            continue;
        taken += is_first_on_its_gpu(c, i);
        seen = c->seats[i].place.gpus > seen ? c->seats[i].place.gpus : seen;
    }
    c->nodes[k].gpus = taken > seen ? taken : seen;
}

static void crowd_close(crowd *c) {
    free(c->node_of);
    free(c->nodes);
    free(c->chosen);
    free(c->told);
}

static cs_status crowd_open(const cs_seat *seats, int n, crowd *c) {
    cs_status status;
    *c = (crowd){.seats = seats, .n = n};
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *c->node_of, "ranks", &c->node_of), failed);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *c->nodes, "nodes", &c->nodes), failed);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *c->chosen, "ranks", &c->chosen), failed);
    CS_TRY_GOTO(cs_alloc((size_t)n, sizeof *c->told, "ranks", &c->told), failed);
    for (int i = 0; i < n; i++) {
        int k = c->node_of[i] = find_node(c, seats[i].node);
        if (k == c->n_nodes)
            c->nodes[c->n_nodes++].first = i;
        c->nodes[k].ranks++;
        c->nodes[k].threads += seats[i].threads;
    }
    for (int k = 0; k < c->n_nodes; k++)
        count_gpus(c, k);
    return CS_OK;
failed:
    crowd_close(c);
    return status;
}

/* Where ranks sit. */

static int count_chosen(const crowd *c, int k) {
    int count = 0;
    for (int i = c->nodes[k].first; i < c->n; i++)
        count += c->chosen[i] && c->node_of[i] == k;
    return count;
}

/* "n1: 0-3,8" */
static void print_node(const crowd *c, int k, FILE *out) {
    enum { SHOWN = 8 };
    int shown = 0;
    fprintf(out, "%s: ", c->seats[c->nodes[k].first].node);
    for (int i = c->nodes[k].first; i < c->n; i++) {
        int last = i;
        if (!c->chosen[i] || c->node_of[i] != k)
            continue;
        if (shown++ == SHOWN) {
            fputs(",...", out);
            break;
        }
        while (last + 1 < c->n && c->chosen[last + 1] && c->node_of[last + 1] == k)
            last++;
        fprintf(out, last > i ? "%s%d-%d" : "%s%d", shown > 1 ? "," : "", i, last);
        i = last;
    }
    if (c->nodes[k].gpus > 0)
        fprintf(out, " on %d GPU%s", c->nodes[k].gpus, c->nodes[k].gpus == 1 ? "" : "s");
}

/* The last of the nodes from k on that look like it; how many they are. */
static int find_alike(const crowd *c, int k, int *count) {
    int last = k, chosen = count_chosen(c, k);
    *count = 1;
    for (int next = k + 1; next < c->n_nodes; next++) {
        int there = count_chosen(c, next);
        if (there > 0 && (there != chosen || c->nodes[next].gpus != c->nodes[k].gpus))
            break;
        if (there == 0)
            continue;
        last = next;
        ++*count;
    }
    return last;
}

static void print_nodes(const crowd *c, FILE *out) {
    enum { FOLDED = 4, SHOWN = 8 };
    int shown = 0;
    for (int k = 0; k < c->n_nodes; k++) {
        int alike, last;
        if (count_chosen(c, k) == 0)
            continue;
        if (shown > 0)
            fputs(", ", out);
        if (shown++ == SHOWN) {
            fputs("...", out);
            return;
        }
        print_node(c, k, out);
        last = find_alike(c, k, &alike);
        if (alike < FOLDED)
            continue;
        fputs(" ... ", out);
        print_node(c, last, out);
        fprintf(out, " (%d nodes alike)", alike);
        k = last;
    }
}

/* Remarks. */

/* What there is to say of a rank, or "". */
typedef void remark(const cs_seat *seat, const host *own, char *out, size_t size);

static void say_place(const cs_seat *seat, const host *own, char *out, size_t size) {
    (void)own;
    snprintf(out, size, "%s", seat->place.text);
}

static const char *plural(int n) {
    return n == 1 ? "" : "s";
}

static void say_gpus(const cs_seat *seat, const host *own, char *out, size_t size) {
    int ranks = own->ranks, gpus = own->gpus;
    if (gpus == 0 && seat->slurm_gpus > 0)
        snprintf(out, size, "Slurm gave the node %d GPU%s, and the CPU computes", seat->slurm_gpus,
                 plural(seat->slurm_gpus));
    else if (gpus > 0 && ranks > gpus)
        snprintf(out, size, "%d ranks share %d GPU%s of the node: a rank a GPU is best, --ntasks-per-node=%d", ranks,
                 gpus, plural(gpus), gpus);
    else if (ranks < gpus)
        snprintf(out, size, "%d rank%s on %d GPUs of the node, %d idle: a rank a GPU is best, --ntasks-per-node=%d",
                 ranks, plural(ranks), gpus, gpus - ranks, gpus);
}

/* mpirun binds a rank to one core unless it is told otherwise, and srun does not take --cpus-per-task from the job. */
#define GIVE_MORE "mpirun --bind-to none, or srun --cpus-per-task=%d, gives it more"

static void say_threads(const cs_seat *seat, const host *own, char *out, size_t size) {
    int threads = seat->threads, cores = seat->cores, slurm = seat->slurm_cpus;
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
    else if (own->threads > seat->node_cores)
        snprintf(out, size, "%d ranks, %d threads in all, on %d core%s of the node: fewer are faster", own->ranks,
                 own->threads, seat->node_cores, plural(seat->node_cores));
}

/* mpirun binds one or two ranks to a core each, more to a socket each or, from Open MPI 5 on, a NUMA node. --bind-to
 * none is right for any number of ranks in 4.1 and 5: threads then share what mpirun has. --map-by slot:PE=n would give
 * each rank cores of its own, but counts those without their hardware threads, and fails where n is too large. Slurm's
 * CPUs of a task are what somebody asked for: say_threads holds them against the cores. */
static void say_unused(const cs_seat *seat, const host *own, char *out, size_t size) {
    int used = seat->node_cores, given = seat->launcher_cores, each = given > own->ranks ? given / own->ranks : 1;
    if (seat->threads_asked || seat->slurm_cpus > 0 || used >= given)
        return;
    snprintf(out, size,
             "%d of %d cores of the node %s used, to which mpirun binds the rank%s: mpirun --bind-to none, or srun "
             "--cpus-per-task=%d, gives all; threads: %d keeps it so",
             used, given, used == 1 ? "is" : "are", plural(own->ranks), each, seat->threads);
}

/* All ranks take the same number, and a sweep that goes on takes the one that it began with. */
static void say_fewer(const cs_seat *seat, const host *own, char *out, size_t size) {
    int share = seat->node_cores / own->ranks;
    share = share < seat->cores ? share : seat->cores;
    if (seat->threads_asked || seat->threads >= share)
        return;
    if (seat->busy_cores > 0)
        snprintf(out, size,
                 "%d thread%s a rank, as other programs keep %d of %d cores busy; threads: %d takes them all",
                 seat->threads, plural(seat->threads), seat->busy_cores, seat->node_cores, share);
    else
        snprintf(out, size,
                 "%d thread%s a rank where %d fit: as many as the sweep began with, or as fit on another node; "
                 "threads: %d takes them all",
                 seat->threads, plural(seat->threads), share, share);
}

static const struct row {
    bool warns;
    remark *say;
} remarks[] = {{false, say_place}, {true, say_gpus}, {true, say_threads}, {true, say_unused}, {true, say_fewer}};

static void say(const crowd *c, const struct row *row, int rank, char out[LINE_MAX_BYTES]) {
    out[0] = '\0';
    row->say(&c->seats[rank], &c->nodes[c->node_of[rank]], out, LINE_MAX_BYTES);
}

/* A line of one rank, with the others of whom it holds. */
static void print_remark(crowd *c, const struct row *row, int rank, const char *line, FILE *out) {
    char other[LINE_MAX_BYTES];
    int count = 0;
    for (int i = 0; i < c->n; i++) {
        c->chosen[i] = false;
        if (i < rank || c->told[i])
            continue;
        say(c, row, i, other);
        c->chosen[i] = c->told[i] = strcmp(line, other) == 0;
        count += c->chosen[i];
    }
    fputs(line, out);
    if (count < c->n) {
        fputs(" [", out);
        print_nodes(c, out);
        fputc(']', out);
    }
    fputc('\n', out);
}

static void print_remarks(crowd *c, const struct row *row, FILE *out) {
    enum { SHOWN = 8 };
    char line[LINE_MAX_BYTES];
    int shown = 0;
    memset(c->told, 0, (size_t)c->n * sizeof *c->told);
    for (int i = 0; i < c->n && shown < SHOWN; i++) {
        if (c->told[i])
            continue;
        say(c, row, i, line);
        if (!line[0])
            continue;
        shown++;
        print_remark(c, row, i, line, out);
    }
}

cs_status cs_seats_print(const cs_seat *seats, int n, FILE *out, FILE *warnings) {
    crowd c;
    CS_TRY(crowd_open(seats, n, &c));
    if (n > 1) {
        memset(c.chosen, 1, (size_t)n * sizeof *c.chosen);
        fputs("ranks    ", out);
        print_nodes(&c, out);
        fputc('\n', out);
    }
    for (size_t r = 0; r < sizeof remarks / sizeof *remarks; r++)
        print_remarks(&c, &remarks[r], remarks[r].warns ? warnings : out);
    crowd_close(&c);
    return CS_OK;
}
