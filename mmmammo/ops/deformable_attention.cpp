// Multi-scale deformable attention on CPU, in one pass and without intermediate tensors.
//
// Deformable DETR (arXiv 2010.04159), equation 3: for query q and head h, with attention weights A summing to one,
//
//     out[q, h, :] = sum over levels l and points p of  A[q, h, l, p] * V_l[h](location[q, h, l, p])
//
// where V_l is the bilinear interpolation of level l, zero outside of it. A level spans [0, 1] from edge to edge, so a
// location falls at location * size - 0.5 between the centres of its cells.
//
// Layouts, all contiguous: value (bs, keys, heads, dim); locations (bs, queries, heads, levels, points, 2) as (x, y);
// weights (bs, queries, heads, levels, points); out (bs, queries, heads * dim); shapes (levels, 2) as (rows, columns).

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/library.h>

#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "processors.h"

namespace {

struct Level {
  int64_t rows, columns, start;
};

struct Problem {
  int64_t batch, keys, queries, heads, dim, points;
  std::vector<Level> levels;

  int64_t samples() const { return static_cast<int64_t>(levels.size()) * points; }
  int64_t stride() const { return heads * dim; }  // from one key to the next
};

template <typename T>
struct Inputs {
  const T* value;
  const T* locations;
  const T* weights;
};

// The cell of a level that a location falls into: four corners, fewer at the border.
template <typename T>
struct Cell {
  T along_x, along_y;  // how far from the left and the upper corners, in [0, 1)
  int64_t offset[4];   // of the corners' values from the level's first key; -1 outside
  bool known;          // false where the location is not finite
};

template <typename T>
INLINED Cell<T> find_cell(const Problem& problem, const Level& level, T x, T y) {
  x = x * level.columns - T(0.5);
  y = y * level.rows - T(0.5);
  Cell<T> cell{0, 0, {-1, -1, -1, -1}, std::isfinite(x) && std::isfinite(y)};
  if (!(x > -1 && y > -1 && x < level.columns && y < level.rows)) return cell;
  const T left = std::floor(x), top = std::floor(y);
  cell.along_x = x - left;
  cell.along_y = y - top;
  for (int corner = 0; corner < 4; ++corner) {
    const int64_t column = static_cast<int64_t>(left) + corner % 2, row = static_cast<int64_t>(top) + corner / 2;
    if (column < 0 || row < 0 || column >= level.columns || row >= level.rows) continue;
    cell.offset[corner] = (row * level.columns + column) * problem.stride();
  }
  return cell;
}

template <typename T>
INLINED T share(const Cell<T>& cell, int corner) {  // the bilinear weight of a corner
  return (corner % 2 ? cell.along_x : 1 - cell.along_x) * (corner / 2 ? cell.along_y : 1 - cell.along_y);
}

template <typename T>
struct Term {
  const T* value;
  T weight;
};

// Channels [channel, channel + 8 * PACKS) of a head's result; the sums stay in registers.
template <int PACKS, typename T>
INLINED void sum_terms(const Term<T>* terms, int64_t count, int64_t channel, T* out) {
  typename Pack<T>::type sum[PACKS] = {};
  for (int64_t i = 0; i < count; ++i) {
#pragma GCC unroll 4
    for (int pack = 0; pack < PACKS; ++pack) {
      typename Pack<T>::type value;
      __builtin_memcpy(&value, terms[i].value + channel + 8 * pack, sizeof(value));
      sum[pack] += terms[i].weight * value;
    }
  }
#pragma GCC unroll 4
  for (int pack = 0; pack < PACKS; ++pack) __builtin_memcpy(out + channel + 8 * pack, &sum[pack], sizeof(sum[pack]));
}

template <typename T>
INLINED void sum_terms(const Term<T>* terms, int64_t count, int64_t channel, T* out) {
  T sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += terms[i].weight * terms[i].value[channel];
  out[channel] = sum;
}

template <typename T>
INLINED int64_t gather_terms(
    const Problem& problem, const T* value, const T* location, const T* weight, Term<T>* terms) {
  int64_t count = 0;
  for (const Level& level : problem.levels) {
    const T* first = value + level.start * problem.stride();
    for (int64_t point = 0; point < problem.points; ++point, location += 2, ++weight) {
      const Cell<T> cell = find_cell(problem, level, location[0], location[1]);
      if (!cell.known) terms[count++] = {value, std::numeric_limits<T>::quiet_NaN()};
      for (int corner = 0; corner < 4; ++corner) {
        if (cell.offset[corner] >= 0) terms[count++] = {first + cell.offset[corner], *weight * share(cell, corner)};
      }
    }
  }
  return count;
}

// Rows [begin, end) of (bs * queries).
template <typename T>
INLINED void attend(const Problem& problem, const Inputs<T>& in, T* out, int64_t begin, int64_t end) {
  const int64_t samples = problem.samples();
  std::vector<Term<T>> terms(4 * samples);
  for (int64_t row = begin; row < end; ++row) {
    const T* image = in.value + row / problem.queries * problem.keys * problem.stride();
    for (int64_t head = 0; head < problem.heads; ++head) {
      const int64_t first = (row * problem.heads + head) * samples;
      const int64_t count = gather_terms(
          problem, image + head * problem.dim, in.locations + 2 * first, in.weights + first, terms.data());
      T* result = out + (row * problem.heads + head) * problem.dim;
      int64_t channel = 0;
      for (; channel + 32 <= problem.dim; channel += 32) sum_terms<4>(terms.data(), count, channel, result);
      for (; channel + 8 <= problem.dim; channel += 8) sum_terms<1>(terms.data(), count, channel, result);
      for (; channel < problem.dim; ++channel) sum_terms(terms.data(), count, channel, result);
    }
  }
}

FOR_EACH_PROCESSOR void attend_rows(
    const Problem& p, const Inputs<float>& in, float* out, int64_t begin, int64_t end) {
  attend(p, in, out, begin, end);
}

FOR_EACH_PROCESSOR void attend_rows(
    const Problem& p, const Inputs<double>& in, double* out, int64_t begin, int64_t end) {
  attend(p, in, out, begin, end);
}

template <typename T>
struct Gradients {
  T *value, *locations, *weights;
};

template <typename T>
INLINED T dot(const T* a, const T* b, int64_t dim) {
  typename Pack<T>::type sums = {}, left, right;
  int64_t channel = 0;
  for (; channel + 8 <= dim; channel += 8) {
    __builtin_memcpy(&left, a + channel, sizeof(left));
    __builtin_memcpy(&right, b + channel, sizeof(right));
    sums += left * right;
  }
  T sum = 0;
  for (; channel < dim; ++channel) sum += a[channel] * b[channel];
  for (int lane = 0; lane < 8; ++lane) sum += sums[lane];
  return sum;
}

// One head's sample: d out / d (value, location, weight), times the gradient of out.
template <typename T>
INLINED void differentiate_sample(
    const Problem& problem, const Level& level, const T* value, const T* location, T weight, const T* grad,
    T* grad_value, T* grad_location, T* grad_weight) {
  const Cell<T> cell = find_cell(problem, level, location[0], location[1]);
  T corner_dot[4] = {0, 0, 0, 0};
  T sampled = cell.known ? T(0) : std::numeric_limits<T>::quiet_NaN();
  for (int corner = 0; corner < 4; ++corner) {
    if (cell.offset[corner] < 0) continue;
    const T part = share(cell, corner);
    corner_dot[corner] = dot(grad, value + cell.offset[corner], problem.dim);
    sampled += part * corner_dot[corner];
    T* target = grad_value + cell.offset[corner];
    for (int64_t channel = 0; channel < problem.dim; ++channel) target[channel] += weight * part * grad[channel];
  }
  const T right = (1 - cell.along_y) * (corner_dot[1] - corner_dot[0]) + cell.along_y * (corner_dot[3] - corner_dot[2]);
  const T down = (1 - cell.along_x) * (corner_dot[2] - corner_dot[0]) + cell.along_x * (corner_dot[3] - corner_dot[1]);
  grad_location[0] = weight * right * level.columns;
  grad_location[1] = weight * down * level.rows;
  *grad_weight = sampled;
}

// Pairs [begin, end) of (bs * heads): no two write to the same values, so that the sums have one order.
template <typename T>
INLINED void differentiate(
    const Problem& problem, const Inputs<T>& in, const T* grad, const Gradients<T>& out, int64_t begin, int64_t end) {
  for (int64_t pair = begin; pair < end; ++pair) {
    const int64_t image = pair / problem.heads, head = pair % problem.heads;
    const int64_t first = image * problem.keys * problem.stride() + head * problem.dim;
    for (int64_t query = 0; query < problem.queries; ++query) {
      const int64_t row = (image * problem.queries + query) * problem.heads + head;
      int64_t sample = row * problem.samples();
      for (const Level& level : problem.levels) {
        const int64_t start = first + level.start * problem.stride();
        for (int64_t point = 0; point < problem.points; ++point, ++sample) {
          differentiate_sample(
              problem, level, in.value + start, in.locations + 2 * sample, in.weights[sample], grad + row * problem.dim,
              out.value + start, out.locations + 2 * sample, out.weights + sample);
        }
      }
    }
  }
}

FOR_EACH_PROCESSOR void differentiate_pairs(
    const Problem& p, const Inputs<float>& in, const float* grad, const Gradients<float>& out, int64_t begin,
    int64_t end) {
  differentiate(p, in, grad, out, begin, end);
}

FOR_EACH_PROCESSOR void differentiate_pairs(
    const Problem& p, const Inputs<double>& in, const double* grad, const Gradients<double>& out, int64_t begin,
    int64_t end) {
  differentiate(p, in, grad, out, begin, end);
}

Problem describe(
    const at::Tensor& value, const at::Tensor& shapes, const at::Tensor& locations, const at::Tensor& weights) {
  TORCH_CHECK(value.dim() == 4 && shapes.dim() == 2 && locations.dim() == 6, "4, 2 and 6 dimensions wanted");
  Problem problem{value.size(0), value.size(1), locations.size(1), value.size(2), value.size(3), locations.size(4), {}};
  const int64_t* sizes = shapes.const_data_ptr<int64_t>();
  int64_t start = 0;
  for (int64_t i = 0; i < shapes.size(0); ++i) {
    problem.levels.push_back({sizes[2 * i], sizes[2 * i + 1], start});
    start += sizes[2 * i] * sizes[2 * i + 1];
  }
  const std::vector<int64_t> samples{problem.batch, problem.queries, problem.heads, shapes.size(0), problem.points};
  TORCH_CHECK(weights.sizes() == samples && locations.numel() == 2 * weights.numel(), "locations or weights misshapen");
  for (const auto& tensor : {value, shapes, locations, weights}) {
    TORCH_CHECK(tensor.is_contiguous(), "contiguous tensors wanted");
  }
  TORCH_CHECK(start == problem.keys, "levels have ", start, " cells, value has ", problem.keys, " keys");
  return problem;
}

template <typename T>
Inputs<T> pointers(const at::Tensor& value, const at::Tensor& locations, const at::Tensor& weights) {
  return {value.const_data_ptr<T>(), locations.const_data_ptr<T>(), weights.const_data_ptr<T>()};
}

at::Tensor forward(
    const at::Tensor& value, const at::Tensor& shapes, const at::Tensor& locations, const at::Tensor& weights) {
  const Problem problem = describe(value, shapes, locations, weights);
  at::Tensor out = at::empty({problem.batch, problem.queries, problem.stride()}, value.options());
  AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "deformable_attention", [&] {
    const auto in = pointers<scalar_t>(value, locations, weights);
    scalar_t* result = out.mutable_data_ptr<scalar_t>();
    at::parallel_for(0, problem.batch * problem.queries, 16, [&](int64_t begin, int64_t end) {
      attend_rows(problem, in, result, begin, end);
    });
  });
  return out;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> backward(
    const at::Tensor& grad, const at::Tensor& value, const at::Tensor& shapes, const at::Tensor& locations,
    const at::Tensor& weights) {
  const Problem problem = describe(value, shapes, locations, weights);
  TORCH_CHECK(grad.numel() == problem.batch * problem.queries * problem.stride() && grad.is_contiguous());
  const at::Tensor grad_value = at::zeros_like(value);
  const at::Tensor grad_locations = at::empty_like(locations), grad_weights = at::empty_like(weights);
  AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "deformable_attention_backward", [&] {
    const auto in = pointers<scalar_t>(value, locations, weights);
    const scalar_t* given = grad.const_data_ptr<scalar_t>();
    const Gradients<scalar_t> out{
        grad_value.mutable_data_ptr<scalar_t>(), grad_locations.mutable_data_ptr<scalar_t>(),
        grad_weights.mutable_data_ptr<scalar_t>()};
    at::parallel_for(0, problem.batch * problem.heads, 1, [&](int64_t begin, int64_t end) {
      differentiate_pairs(problem, in, given, out, begin, end);
    });
  });
  return {grad_value, grad_locations, grad_weights};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(mmmammo, library) {
  library.def("deformable_attention(Tensor value, Tensor shapes, Tensor locations, Tensor weights) -> Tensor");
  library.def(
      "deformable_attention_backward(Tensor grad, Tensor value, Tensor shapes, Tensor locations, Tensor weights)"
      " -> (Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(mmmammo, CPU, library) {
  library.impl("deformable_attention", forward);
  library.impl("deformable_attention_backward", backward);
}
