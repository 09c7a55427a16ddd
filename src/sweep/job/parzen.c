/* SPDX-License-Identifier: Apache-2.0 */
#include "parzen.h"
#include "cnnsweep/memory.h"

#include <math.h>
#include <stdlib.h>

/* So many of the last values count fully. The weights of those before rise to that from 1 / n for the first. */
enum { FULL = 25 };
/* A deviation is at least this part of the domain's width, with fewer values a larger one. */
static const double narrowest = 1.0 / 100;
static const double root_half = 0.70710678118654752440; /* of 1 / 2 */

/* The probability of a standard normal between a and b, a < b, without the difference of two numbers near 1. */
static double normal_mass(double a, double b) {
    const double half = 0.5;
    if (a > 0)
        return half * (erfc(a * root_half) - erfc(b * root_half));
    if (b < 0)
        return half * (erfc(-b * root_half) - erfc(-a * root_half));
    return half * (erf(b * root_half) - erf(a * root_half));
}

/* The number between a and b up to which the standard normal has the probability `mass` from a on, by bisection. */
static double normal_quantile(double a, double b, double mass) {
    enum { HALVINGS = 64 }; /* more than a double has bits */
    const double half = 0.5;
    double low = a, high = b;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = low + half * (high - low);
        if (normal_mass(a, middle) < mass)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static double uniform(cs_rng *rng) {
    const double half = 0.5;
    return (cs_rng_u32(rng) + half) * 0x1p-32;
}

static double inside(const cs_domain *domain, double value) {
    return domain->log ? log(value) : value;
}

static void weigh(cs_parzen *parzen, int observed) {
    int older = observed - FULL;
    double sum = 0, first = observed > 0 ? 1.0 / observed : 1, rise = older > 1 ? (1 - first) / (older - 1) : 0;
    for (int i = 0; i < parzen->n; i++) {
        parzen->kernels[i].weight = i < older ? first + rise * i : 1;
        sum += parzen->kernels[i].weight;
    }
    for (int i = 0; i < parzen->n; i++)
        parzen->kernels[i].weight /= sum;
}

static void make_choices(cs_parzen *parzen, const double *observed, int n) {
    double prior = n > 0 ? 1.0 / parzen->n : 1;
    for (int i = 0; i < parzen->n; i++) {
        cs_parzen_kernel *kernel = &parzen->kernels[i];
        bool is_prior = i == n;
        kernel->choice = is_prior ? -1 : (int)observed[i];
        kernel->other = is_prior ? 1.0 / parzen->domain.choices : prior / (parzen->domain.choices * prior + 1);
    }
}

typedef struct place {
    double mean;
    int kernel;
} place;

/* Equal means stay in the order of their trials. */
static int ascending(const void *a, const void *b) {
    const place *p = a, *q = b;
    if (p->mean != q->mean)
        return p->mean < q->mean ? -1 : 1;
    return p->kernel - q->kernel;
}

/* The deviation of a kernel is the larger of the distances to its neighbours. The bounds count as neighbours only of a
 * single value. `order` [n] are the means in ascending order. */
static double distance_to_neighbours(const cs_parzen *parzen, const place *order, int n, int i) {
    double mean = order[i].mean;
    if (n == 1)
        return fmax(mean - parzen->from, parzen->to - mean);
    double before = i > 0 ? mean - order[i - 1].mean : 0, behind = i < n - 1 ? order[i + 1].mean - mean : 0;
    return fmax(before, behind);
}

static void set_normal(const cs_parzen *parzen, double mean, double deviation, cs_parzen_kernel *kernel) {
    kernel->mean = mean;
    kernel->deviation = deviation;
    kernel->mass = normal_mass((parzen->from - mean) / deviation, (parzen->to - mean) / deviation);
}

static cs_status make_normals(cs_parzen *parzen, const double *observed, int n) {
    const double half = 0.5;
    const cs_domain *domain = &parzen->domain;
    place *order = NULL;
    parzen->from = inside(domain, domain->low - half * domain->step);
    parzen->to = inside(domain, domain->high + half * domain->step);
    double width = parzen->to - parzen->from, least = width * fmax(narrowest, 1.0 / (parzen->n + 1));
    CS_TRY(cs_alloc((size_t)n, sizeof *order, "densities", &order));
    for (int i = 0; i < n; i++)
        order[i] = (place){inside(domain, observed[i]), i};
    qsort(order, (size_t)n, sizeof *order, ascending);
    for (int i = 0; i < n; i++) {
        double deviation = fmin(fmax(distance_to_neighbours(parzen, order, n, i), least), width);
        set_normal(parzen, order[i].mean, deviation, &parzen->kernels[order[i].kernel]);
    }
    set_normal(parzen, half * (parzen->from + parzen->to), width, &parzen->kernels[n]);
    free(order);
    return CS_OK;
}

cs_status cs_parzen_open(const cs_domain *domain, const double *observed, int n, cs_parzen *out) {
    cs_parzen parzen = {.domain = *domain, .n = n + 1};
    cs_status status = CS_OK;
    CS_TRY(cs_alloc((size_t)parzen.n, sizeof *parzen.kernels, "densities", &parzen.kernels));
    weigh(&parzen, n);
    if (domain->choices > 0)
        make_choices(&parzen, observed, n);
    else
        status = make_normals(&parzen, observed, n);
    if (status == CS_OK)
        *out = parzen;
    else
        cs_parzen_close(&parzen);
    return status;
}

void cs_parzen_close(cs_parzen *parzen) {
    free(parzen->kernels);
    *parzen = (cs_parzen){0};
}

static double choice_probability(const cs_parzen *parzen, const cs_parzen_kernel *kernel, int choice) {
    return kernel->choice == choice ? 1 - kernel->other * (parzen->domain.choices - 1) : kernel->other;
}

static double kernel_log_density(const cs_parzen *parzen, const cs_parzen_kernel *kernel, double value) {
    const double half = 0.5, log_root_2_pi = 0.91893853320467274178;
    const cs_domain *domain = &parzen->domain;
    if (domain->choices > 0)
        return log(choice_probability(parzen, kernel, (int)value));
    double mean = kernel->mean, deviation = kernel->deviation;
    if (domain->step > 0) {
        double left = inside(domain, value - half * domain->step), right = inside(domain, value + half * domain->step);
        return log(normal_mass((left - mean) / deviation, (right - mean) / deviation) / kernel->mass);
    }
    double x = (inside(domain, value) - mean) / deviation;
    return -half * x * x - log_root_2_pi - log(deviation * kernel->mass);
}

double cs_parzen_log_density(const cs_parzen *parzen, double value) {
    double largest = -INFINITY, sum = 0;
    /* A sum of exponentials relative to the largest, which may change on the way, does not underflow. */
    for (int i = 0; i < parzen->n; i++) {
        double term = log(parzen->kernels[i].weight) + kernel_log_density(parzen, &parzen->kernels[i], value);
        if (term == -INFINITY) /* the kernel is too far away */
            continue;
        if (term > largest) {
            sum = sum * exp(largest - term) + 1;
            largest = term;
        } else {
            sum += exp(term - largest);
        }
    }
    return largest + log(sum);
}

static const cs_parzen_kernel *draw_kernel(const cs_parzen *parzen, cs_rng *rng) {
    double left = uniform(rng);
    int i = 0;
    while (i < parzen->n - 1 && left >= parzen->kernels[i].weight)
        left -= parzen->kernels[i++].weight;
    return &parzen->kernels[i];
}

static double draw_choice(const cs_parzen *parzen, const cs_parzen_kernel *kernel, cs_rng *rng) {
    double left = uniform(rng);
    int choice = 0;
    while (choice < parzen->domain.choices - 1 && left >= choice_probability(parzen, kernel, choice))
        left -= choice_probability(parzen, kernel, choice++);
    return choice;
}

double cs_parzen_draw(const cs_parzen *parzen, cs_rng *rng) {
    const cs_domain *domain = &parzen->domain;
    const cs_parzen_kernel *kernel = draw_kernel(parzen, rng);
    if (domain->choices > 0)
        return draw_choice(parzen, kernel, rng);
    double mean = kernel->mean, deviation = kernel->deviation;
    double x = normal_quantile((parzen->from - mean) / deviation, (parzen->to - mean) / deviation,
                               kernel->mass * uniform(rng));
    double value = mean + deviation * x;
    if (domain->log)
        value = exp(value);
    if (domain->step > 0)
        value = domain->low + nearbyint((value - domain->low) / domain->step) * domain->step;
    return fmin(fmax(value, domain->low), domain->high);
}
