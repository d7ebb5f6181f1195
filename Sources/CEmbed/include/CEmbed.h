#ifndef CEMBED_H
#define CEMBED_H

#include <stddef.h>
#include <stdint.h>

/* The arithmetic of the embedded sentence encoder, on matrices in rows. It is in C because
   each function is compiled for several processors and the best one is chosen when the program
   starts (x86-64). Every `n` is a multiple of CEMBED_LANES; a stride is the distance from row to
   row in floats. Nothing is checked here: the one caller knows its sizes. Nothing is allocated or
   kept, so every function may run on many threads at once. */

#define CEMBED_LANES 16

/* How many rows of a matrix may be: a sum of so many products stays within 31 bits. */
#define CEMBED_DEPTH_MAX 2048

/* Each row of n as integers of 14 bits, and what one of them is worth. */
void cembed_quantize(const float *x, size_t stride, size_t rows, size_t n, int16_t *out,
                     float *scales);

/* c[m, n] += a[m, k] * b[k, n], where the rows of `a` and the columns of `b` have scales, and k is
   even and at most CEMBED_DEPTH_MAX. `b` is packed in panels of 16 columns and pairs of rows: element
   (p, j) is at ((j / 16) * k + p - p % 2) * 16 + j % 16 * 2 + p % 2. The sums are exact, so a row's
   result does not depend on the rows beside it. */
void cembed_gemm(const int16_t *a, const float *a_scales, const int8_t *b, const float *b_scales,
                 float *c, size_t c_stride, size_t m, size_t k, size_t n);

/* The same as it is computed where there is nothing better, for tests. */
void cembed_gemm_portable(const int16_t *a, const float *a_scales, const int8_t *b,
                          const float *b_scales, float *c, size_t c_stride, size_t m, size_t k,
                          size_t n);

/* Copies `row` (n floats) into each of `rows` rows of x. */
void cembed_fill_rows(float *x, size_t stride, size_t rows, size_t n, const float *row);

/* out[i] = bytes[i] * scale + offset */
void cembed_dequantize(const uint8_t *bytes, float scale, float offset, float *out, size_t n);

/* Each row of n: minus its mean, over its deviation, times gain, plus bias. */
void cembed_layer_norm(float *x, size_t rows, size_t n, const float *gain, const float *bias,
                       float epsilon);

/* x = max(x, 0) + y, for `rows` rows of n. */
void cembed_relu_add(float *x, size_t x_stride, const float *y, size_t y_stride, size_t rows,
                     size_t n);

/* x = max(x, 0) */
void cembed_relu(float *x, size_t n);

/* out = the sum of `rows` rows of n. */
void cembed_sum_rows(const float *x, size_t stride, size_t rows, size_t n, float *out);

/* x = (x + count * bias) / sqrt(count) */
void cembed_mean(float *x, const float *bias, float count, size_t n);

/* x = tanh(x) / |tanh(x)| */
void cembed_tanh_normalize(float *x, size_t n, float epsilon);

#endif
