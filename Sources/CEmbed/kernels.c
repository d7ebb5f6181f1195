#include "CEmbed.h"

#include <math.h>
#include <string.h>

/* One function per kind of processor, chosen at start-up. Other architectures have one kind. */
#if defined(__x86_64__)
#define DISPATCHED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DISPATCHED
#endif

/* Sixteen floats: one, two or four registers. May alias: it is read from arrays of float. */
typedef float lanes __attribute__((vector_size(4 * CEMBED_LANES), aligned(4), may_alias));

#define LANES_AT(p) (*(lanes *)(p))
#define LANES_OF(p) (*(const lanes *)(p))

DISPATCHED
void cembed_gemm(const float *restrict a, size_t a_stride, const float *restrict b,
                 float *restrict c, size_t c_stride, size_t m, size_t k, size_t n) {
    for (size_t j = 0; j < n; j += CEMBED_LANES) {
        const float *panel = b + j * k;
        for (size_t i = 0; i < m; i += 6) {
            /* Missing rows of the last block repeat its last one and are not stored. */
            size_t last = (m - i < 6 ? m - i : 6) - 1;
            const float *a0 = a + i * a_stride;
            const float *a1 = a0 + (last < 1 ? last : 1) * a_stride;
            const float *a2 = a0 + (last < 2 ? last : 2) * a_stride;
            const float *a3 = a0 + (last < 3 ? last : 3) * a_stride;
            const float *a4 = a0 + (last < 4 ? last : 4) * a_stride;
            const float *a5 = a0 + last * a_stride;
            lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0};
            for (size_t p = 0; p < k; p++) {
                lanes v = LANES_OF(panel + p * CEMBED_LANES);
                s0 += a0[p] * v;
                s1 += a1[p] * v;
                s2 += a2[p] * v;
                s3 += a3[p] * v;
                s4 += a4[p] * v;
                s5 += a5[p] * v;
            }
            float *out = c + i * c_stride + j;
            LANES_AT(out) += s0;
            if (last >= 1) LANES_AT(out + c_stride) += s1;
            if (last >= 2) LANES_AT(out + 2 * c_stride) += s2;
            if (last >= 3) LANES_AT(out + 3 * c_stride) += s3;
            if (last >= 4) LANES_AT(out + 4 * c_stride) += s4;
            if (last >= 5) LANES_AT(out + 5 * c_stride) += s5;
        }
    }
}

void cembed_fill_rows(float *x, size_t stride, size_t rows, size_t n, const float *row) {
    for (size_t r = 0; r < rows; r++) memcpy(x + r * stride, row, n * sizeof(float));
}

DISPATCHED
void cembed_dequantize(const uint8_t *restrict bytes, float scale, float offset,
                       float *restrict out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (float)bytes[i] * scale + offset;
}

DISPATCHED
void cembed_layer_norm(float *restrict x, size_t rows, size_t n, const float *restrict gain,
                       const float *restrict bias, float epsilon) {
    for (size_t r = 0; r < rows; r++, x += n) {
        /* Sixteen sums side by side: quick, and more exact than one long one. */
        lanes sums = {0};
        for (size_t i = 0; i < n; i += CEMBED_LANES) sums += LANES_OF(x + i);
        float mean = 0;
        for (int q = 0; q < CEMBED_LANES; q++) mean += sums[q];
        mean /= (float)n;
        lanes squares = {0};
        for (size_t i = 0; i < n; i += CEMBED_LANES) {
            lanes d = LANES_OF(x + i) - mean;
            LANES_AT(x + i) = d;
            squares += d * d;
        }
        float variance = 0;
        for (int q = 0; q < CEMBED_LANES; q++) variance += squares[q];
        variance /= (float)n;
        float factor = 1 / sqrtf(variance + epsilon);
        for (size_t i = 0; i < n; i += CEMBED_LANES) {
            LANES_AT(x + i) = LANES_OF(x + i) * factor * LANES_OF(gain + i) + LANES_OF(bias + i);
        }
    }
}

DISPATCHED
void cembed_relu_add(float *restrict x, size_t x_stride, const float *restrict y, size_t y_stride,
                     size_t rows, size_t n) {
    for (size_t r = 0; r < rows; r++, x += x_stride, y += y_stride) {
        for (size_t i = 0; i < n; i++) x[i] = (x[i] > 0 ? x[i] : 0) + y[i];
    }
}

DISPATCHED
void cembed_relu(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = x[i] > 0 ? x[i] : 0;
}

DISPATCHED
void cembed_sum_rows(const float *restrict x, size_t stride, size_t rows, size_t n,
                     float *restrict out) {
    memset(out, 0, n * sizeof(float));
    for (size_t r = 0; r < rows; r++, x += stride) {
        for (size_t i = 0; i < n; i++) out[i] += x[i];
    }
}

DISPATCHED
void cembed_mean(float *restrict x, const float *restrict bias, float count, size_t n) {
    float factor = 1 / sqrtf(count);
    for (size_t i = 0; i < n; i++) x[i] = (x[i] + count * bias[i]) * factor;
}

void cembed_tanh_normalize(float *x, size_t n, float epsilon) {
    float square = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = tanhf(x[i]);
        square += x[i] * x[i];
    }
    float factor = 1 / sqrtf(square > epsilon ? square : epsilon);
    for (size_t i = 0; i < n; i++) x[i] *= factor;
}
