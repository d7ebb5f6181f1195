#include "CEmbed.h"

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

/* Rows that are multiplied together: as many sums as there are registers for. */
#define ROWS 6
/* The largest of a quantized row. CEMBED_DEPTH_MAX products with the largest weight (127) stay below 2^31. */
#define ROW_MAX 8191

DISPATCHED
void cembed_quantize(const float *restrict x, size_t stride, size_t rows, size_t n,
                     int16_t *restrict out, float *restrict scales) {
    for (size_t r = 0; r < rows; r++, x += stride, out += n) {
        /* Without their signs, floats are in the order of their bits, and a maximum of integers needs
           no order of its own: several are compared at once. */
        uint32_t bits = 0;
        for (size_t i = 0; i < n; i++) {
            uint32_t size;
            memcpy(&size, x + i, sizeof size);
            size &= 0x7FFFFFFF;
            bits = size > bits ? size : bits;
        }
        float largest;
        memcpy(&largest, &bits, sizeof largest);
        /* Rows of zeros, and those whose quotient is no number, give zeros. */
        float factor = largest > 1e-30f ? ROW_MAX / largest : 0;
        scales[r] = largest / ROW_MAX;
        for (size_t i = 0; i < n; i++) {
            float value = x[i] * factor;
            out[i] = (int16_t)(value + (value < 0 ? -0.5f : 0.5f));
        }
    }
}

/* Any processor. */
static void gemm_portable(const int16_t *restrict a, const float *restrict a_scales,
                          const int8_t *restrict b, const float *restrict b_scales,
                          float *restrict c, size_t c_stride, size_t m, size_t k, size_t n) {
    for (size_t j = 0; j < n; j += CEMBED_LANES) {
        const int8_t *panel = b + j * k;
        for (size_t i = 0; i < m; i++) {
            const int16_t *row = a + i * k;
            int32_t sums[CEMBED_LANES] = {0};
            for (size_t p = 0; p < k; p += 2) {
                const int8_t *pairs = panel + p * CEMBED_LANES;
                for (size_t q = 0; q < CEMBED_LANES; q++) {
                    sums[q] += row[p] * pairs[2 * q] + row[p + 1] * pairs[2 * q + 1];
                }
            }
            float *out = c + i * c_stride + j;
            for (size_t q = 0; q < CEMBED_LANES; q++) {
                out[q] += (float)sums[q] * (a_scales[i] * b_scales[j + q]);
            }
        }
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2")))
static inline void add_scaled(float *out, __m256i sums, float row, __m256 columns) {
    __m256 scale = _mm256_mul_ps(_mm256_set1_ps(row), columns);
    __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), scale);
    _mm256_storeu_ps(out, _mm256_add_ps(_mm256_loadu_ps(out), value));
}

/* Two numbers of a row times the pairs of eight columns in one instruction (vpmaddwd). The sums are
   of integers: the same on every processor, in whatever order. `count`, a constant, is how many rows are
   multiplied together; only the first `last` + 1 are there. */
__attribute__((target("avx2"), always_inline))
static inline void block_avx2(const int16_t *a, const float *a_scales, const int8_t *panel,
                              const float *b_scales, float *c, size_t c_stride, size_t k,
                              const size_t count, size_t last) {
    const int16_t *rows[ROWS];
    __m256i x[ROWS], y[ROWS];
#pragma GCC unroll 6
    for (size_t q = 0; q < count; q++) {
        /* Missing rows repeat the last one and are not stored. */
        rows[q] = a + (q < last ? q : last) * k;
        x[q] = y[q] = _mm256_setzero_si256();
    }
    for (size_t p = 0; p < k; p += 2) {
        const __m128i *pairs = (const __m128i *)(panel + p * CEMBED_LANES);
        __m256i u = _mm256_cvtepi8_epi16(_mm_loadu_si128(pairs));
        __m256i v = _mm256_cvtepi8_epi16(_mm_loadu_si128(pairs + 1));
#pragma GCC unroll 6
        for (size_t q = 0; q < count; q++) {
            int32_t two;
            memcpy(&two, rows[q] + p, sizeof two);
            __m256i pair = _mm256_set1_epi32(two);
            x[q] = _mm256_add_epi32(x[q], _mm256_madd_epi16(pair, u));
            y[q] = _mm256_add_epi32(y[q], _mm256_madd_epi16(pair, v));
        }
    }
    __m256 left = _mm256_loadu_ps(b_scales), right = _mm256_loadu_ps(b_scales + 8);
    for (size_t q = 0; q <= last; q++) {
        add_scaled(c + q * c_stride, x[q], a_scales[q], left);
        add_scaled(c + q * c_stride + 8, y[q], a_scales[q], right);
    }
}

__attribute__((target("avx2")))
static void gemm_avx2(const int16_t *restrict a, const float *restrict a_scales,
                      const int8_t *restrict b, const float *restrict b_scales,
                      float *restrict c, size_t c_stride, size_t m, size_t k, size_t n) {
    for (size_t j = 0; j < n; j += CEMBED_LANES) {
        const int8_t *panel = b + j * k;
        size_t i = 0;
        for (; m - i > 2; i += m - i < ROWS ? m - i : ROWS) {
            size_t last = (m - i < ROWS ? m - i : ROWS) - 1;
            block_avx2(a + i * k, a_scales + i, panel, b_scales + j, c + i * c_stride + j,
                       c_stride, k, ROWS, last);
        }
        /* The last layers of a text alone have one row. */
        if (m - i == 2) {
            block_avx2(a + i * k, a_scales + i, panel, b_scales + j, c + i * c_stride + j,
                       c_stride, k, 2, 1);
        } else if (m - i == 1) {
            block_avx2(a + i * k, a_scales + i, panel, b_scales + j, c + i * c_stride + j,
                       c_stride, k, 1, 0);
        }
    }
}
#endif

void cembed_gemm(const int16_t *a, const float *a_scales, const int8_t *b, const float *b_scales,
                 float *c, size_t c_stride, size_t m, size_t k, size_t n) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        gemm_avx2(a, a_scales, b, b_scales, c, c_stride, m, k, n);
        return;
    }
#endif
    gemm_portable(a, a_scales, b, b_scales, c, c_stride, m, k, n);
}

void cembed_gemm_portable(const int16_t *a, const float *a_scales, const int8_t *b,
                          const float *b_scales, float *c, size_t c_stride, size_t m, size_t k,
                          size_t n) {
    gemm_portable(a, a_scales, b, b_scales, c, c_stride, m, k, n);
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
